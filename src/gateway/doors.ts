import type { Config } from '../config/schema.ts';
import { addressKey } from '../identity/address-key.ts';
import type { Peer } from '../identity/peer.ts';
import { type BlockEvent, Blocks, type Conduct } from '../listener/blocks.ts';
import type { ListenerDependencies } from '../listener/contract.ts';
import type { ControlCommands } from '../listener/control.ts';
import { KnownAddresses } from '../listener/known-addresses.ts';
import { isTrusted } from '../listener/trusted.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../pipeline/outcome.ts';
import { conductOf } from './conduct-of.ts';

export interface Doorkeeping {
  /** What every listener works with. */
  readonly listening: Required<Pick<ListenerDependencies, 'blocks' | 'known' | 'onOffence'>>;
  /** For metrics. */
  counts(): { readonly now: number; readonly ever: number; readonly forgotten: number };
  /** What the operator may ask over the control socket. */
  readonly commands: ControlCommands;
  /** The same recorder, with an eye on which addresses fail. */
  watching(recorder: Recorder): Recorder;
}

/** Keeps the list of blocked addresses: what is recorded of an address decides. */
export function createDoorkeeping(config: Config, deps: { readonly log: Log }): Doorkeeping {
  const { log } = deps;
  // An address that one listener trusts brings many callers to it: the others must not shut them out.
  const trusted = config.listeners.flatMap(({ limits }) => limits.trusted);
  const blocks = new Blocks(config.blocks, (event) => tell(event, log));
  const known = new KnownAddresses();
  const now = (): number => performance.now();
  const note = (outcome: Parameters<Recorder['record']>[0]): void => {
    const conduct = conductOf(outcome);
    if (conduct === undefined) return;
    if (conduct !== 'honest') {
      onOffence(outcome.peer, conduct);
      return;
    }
    const key = addressKey(outcome.peer.address);
    if (outcome.principal !== undefined) known.note(key, now());
    // Only what failed is remembered there at all.
    if (blocks.size > 0) blocks.note(key, conduct, now());
  };
  const onOffence = ({ address }: Peer, conduct: Conduct): void => {
    if (!isTrusted(address, trusted)) blocks.note(addressKey(address), conduct, now());
  };
  return {
    listening: { blocks, known, onOffence },
    counts: () => ({
      now: blocks.blockedNow(now()),
      ever: blocks.counts.blocked,
      forgotten: blocks.counts.forgotten,
    }),
    commands: {
      list: () => blocks.list(now()),
      release: (address) =>
        address === undefined ? blocks.releaseAll(now()) : Number(blocks.release(address, now())),
    },
    watching: (recorder) => ({
      accepting: () => recorder.accepting(),
      record(outcome) {
        note(outcome);
        return recorder.record(outcome);
      },
    }),
  };
}

function tell(event: BlockEvent, log: Log): void {
  switch (event.kind) {
    case 'blocked': {
      const { address, seconds, times, offences } = event;
      log.warn('an address is blocked', { address, seconds, times, ...offences });
      return;
    }
    case 'released':
      log.info('an address is released', { address: event.address });
      return;
    case 'forgotten':
      log.warn('blocks were forgotten: the list is full of worse ones', { count: event.count });
  }
}
