/** The forms in which `crobc check` prints its messages. */
export const reporters = ['pretty', 'json', 'github', 'sarif', 'junit'] as const;

export type Reporter = (typeof reporters)[number];
