/** The part of a query that asks for sensitive values as they are; nothing for a command that does not. */
export function revealed({ reveal }: { reveal?: boolean | undefined }): { reveal?: 'true' } {
  return reveal === true ? { reveal: 'true' } : {};
}
