/** Control characters and line separators: they forge log lines, cut names short and split headers. */
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Longest method, tool or prompt name. The official SDKs warn beyond 128; nothing honest is near twice that. */
export const maxNameLength = 256;

/** Whether a text has a control character, which no name, URI or id may have. */
export function hasControls(text: string): boolean {
  return controls.test(text);
}

/** Whether a text can be a method, tool or prompt name. Says nothing about whether policy knows it. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxNameLength && !hasControls(value);
}
