/** From the first that is refused in an overload to the last. */
export const priorities = ['low', 'normal', 'high'] as const;

export type Priority = (typeof priorities)[number];
