import type { Exchange } from '../pipeline/exchange.ts';
import { marksOf } from '../policy/content.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import type { ResultTarget } from './result-target.ts';

/** Our own prefix in `_meta`: a reverse domain name that is not the protocol's (2026-07-28, basic/index). */
const provenanceKey = 'io.sallyport/provenance';

/** A result that says where it comes from. The policy's marks tell whether that is trusted. */
export function labelled(result: JsonObject, { kind, name }: ResultTarget, exchange: Exchange): JsonObject {
  const { upstream, principal: subject } = exchange;
  const { untrusted } = marksOf(exchange.policy, { upstream, kind, name, subject });
  const meta = own(result, '_meta');
  // What the server says under our name about itself is worth nothing.
  const label = { upstream, [kind]: name, ...(untrusted ? { untrusted } : {}) };
  return { ...result, _meta: { ...(isJsonObject(meta) ? meta : {}), [provenanceKey]: label } };
}
