import { type Address, contains, type Network, parseAddress, parseNetwork } from './address.ts';
import type { Condition } from './condition.ts';
import type { NetworkTest } from './options.ts';
import { type Truth, truthOf } from './truth.ts';

/** `network: [10.0.0.0/8]`, or `network: { in: […], notIn: […] }`. Judged on the peer's own address, never on a header. */
export function compileNetwork(test: NetworkTest): Condition {
  const inside = test.in === undefined ? undefined : test.in.map(toNetwork);
  const outside = (test.notIn ?? []).map(toNetwork);
  const holds = (address: Address | undefined): Truth => {
    if (address === undefined) return 'unknown';
    if (outside.some((network) => contains(network, address))) return 'false';
    return truthOf(inside === undefined || inside.some((network) => contains(network, address)));
  };
  return {
    test: (request) => holds(parseAddress(request.context.address)),
    blame: () => 'network',
  };
}

function toNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network === undefined) throw new TypeError('the schema lets only valid networks through');
  return network;
}
