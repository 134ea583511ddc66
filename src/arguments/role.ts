import type { ZodType, z } from 'zod';
import type { JsonValue } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';

/** What an argument is for. A role decides by type and grammar, never by resemblance to an attack. */
export type RoleName =
  | 'path'
  | 'url'
  | 'id'
  | 'int'
  | 'number'
  | 'bool'
  | 'enum'
  | 'uuid'
  | 'date'
  | 'email'
  | 'cidr'
  | 'semver'
  | 'base64'
  | 'sql'
  | 'command'
  | 'text'
  | 'code'
  | 'markdown'
  | 'json'
  | 'blob'
  | 'secret';

/** Why a value does not fit its role. */
export interface RoleFault {
  /** One stable word in kebab case, such as `outside-tree`: the same in answers, audit and metrics. Never a value. */
  readonly fault: string;
  /** How an operator can allow it, naming keys of the policy. The caller may read it: never a value. */
  readonly allow: string;
}

/** A role with its options, ready to judge. Pure, synchronous, total: never throws for what JSON can hold. */
export interface Role {
  readonly name: RoleName;
  /** The value must never be written down: `secret`, and roles that are asked to treat it so. */
  readonly secret: boolean;
  /** @returns undefined where the value fits */
  judge(value: JsonValue): RoleFault | undefined;
  /** As `judge`, with places to stop: of roles that may have a lot to read. */
  judgeSteps?(value: JsonValue): Steps<RoleFault | undefined>;
  /** A question that only the machine can answer. Asked after `judge` found no fault; undefined where none is needed. */
  lookup?(value: JsonValue): Lookup | undefined;
}

/** Something that must be asked of the file system or the name service before the value may go. */
export type Lookup =
  | {
      readonly kind: 'real-path';
      /** Absolute path as the gateway sees the mounted tree. */
      readonly path: string;
      /** Further paths to ask of, each answered like `path`. One that ends in `/` must be an existing folder. */
      readonly also?: readonly string[];
      /**
       * @param real the path without symbolic links, of the deepest part that exists, with what does not exist yet
       *   appended; undefined where it could not be found out: must refuse
       * @param also the answers to `also`, in its order; undefined where it was not asked: must refuse
       */
      judge(real: string | undefined, also?: readonly (string | undefined)[]): RoleFault | undefined;
    }
  | {
      readonly kind: 'addresses';
      /** Host name in lower-case ASCII. */
      readonly host: string;
      /** @param addresses every address of every family; undefined or empty where there was no answer: must refuse */
      judge(addresses: readonly string[] | undefined): RoleFault | undefined;
    };

/** One kind of role: its options as a policy file writes them, and how they become a check. */
export interface RoleKind<Options extends ZodType = ZodType> {
  readonly name: RoleName;
  readonly options: Options;
  /** What the schema lets through compiles. */
  compile(options: z.output<Options>): Role;
}
