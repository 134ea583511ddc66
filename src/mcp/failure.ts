import type { ErrorCode, PublicErrorData } from '../errors.ts';
import type { RequestId } from './frame.ts';

/** Why a peer's bytes or headers were not accepted. A value, never thrown. */
export interface DecodeFailure {
  readonly code: ErrorCode;
  /** The id of the refused message, where it could be read. */
  readonly id?: RequestId;
  /** Byte offset of the offence, where one is known. */
  readonly offset?: number;
  /** Members of the error's `data` that the client is owed by the specification. */
  readonly data?: PublicErrorData;
  /** For operators only. Never holds a value that the peer sent. */
  readonly detail: string;
}

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: DecodeFailure };

export interface FailureDetails {
  readonly id?: RequestId | undefined;
  readonly offset?: number | undefined;
  readonly data?: PublicErrorData | undefined;
}

export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

export function failed(
  code: ErrorCode,
  detail: string,
  more: FailureDetails = {},
): { readonly ok: false; readonly failure: DecodeFailure } {
  return { ok: false, failure: toFailure(code, detail, more) };
}

export function toFailure(code: ErrorCode, detail: string, more: FailureDetails = {}): DecodeFailure {
  return {
    code,
    detail,
    ...(more.id === undefined ? {} : { id: more.id }),
    ...(more.offset === undefined ? {} : { offset: more.offset }),
    ...(more.data === undefined ? {} : { data: more.data }),
  };
}
