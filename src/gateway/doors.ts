import type { Config } from '../config/schema.ts';
import { addressKey } from '../identity/address-key.ts';
import { type BlockEvent, Blocks } from '../listener/blocks.ts';
import type { ControlCommands } from '../listener/control.ts';
import { isTrusted } from '../listener/trusted.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../pipeline/outcome.ts';
import { conductOf } from './conduct-of.ts';

export interface Doorkeeping {
  readonly blocks: Blocks;
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
  const { enabled } = config.blocks;
  const now = (): number => performance.now();
  const note = (outcome: Parameters<Recorder['record']>[0]): void => {
    const conduct = conductOf(outcome);
    if (conduct === undefined || (conduct === 'honest' && blocks.size === 0)) return;
    // Only what failed is remembered at all, and what is trusted never is.
    if (conduct !== 'honest' && isTrusted(outcome.peer.address, trusted)) return;
    blocks.note(addressKey(outcome.peer.address), conduct, now());
  };
  return {
    blocks,
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
    watching: (recorder) =>
      enabled
        ? {
            accepting: () => recorder.accepting(),
            record(outcome) {
              note(outcome);
              return recorder.record(outcome);
            },
          }
        : recorder,
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
