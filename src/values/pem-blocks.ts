const wholeBlock = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;

/**
 * The blocks of one label in a PEM file (RFC 7468), in their order. Text between blocks is ignored.
 *
 * A block that begins and does not end is a file that somebody is writing: taking what stands before it would drop what is
 * still to come, and cut off everybody that it vouches for.
 *
 * @param label such as `CERTIFICATE`
 * @returns undefined where a block, of whatever label, is not whole
 */
export function pemBlocks(text: string, label: string): readonly string[] | undefined {
  if (/-----[BE]/.test(text.replace(wholeBlock, ''))) return undefined;
  return [...text.matchAll(wholeBlock)].flatMap(([block, found]) => (found === label ? [block] : []));
}
