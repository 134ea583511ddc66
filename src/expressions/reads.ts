/** What an expression looks at in one value. */
export interface Reads {
  /** The value as it is, all of it. */
  whole: boolean;
  /** Members that are looked at by name. */
  readonly members: Map<string, Reads>;
}

export function noReads(): Reads {
  return { whole: false, members: new Map() };
}

/** The node of a member, made where it is missing. */
export function memberOf(reads: Reads, name: string): Reads {
  let member = reads.members.get(name);
  if (member === undefined) {
    member = noReads();
    reads.members.set(name, member);
  }
  return member;
}
