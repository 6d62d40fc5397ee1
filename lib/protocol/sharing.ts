import { z } from 'zod';
import { OBJECT_KINDS, SHARE_LEVELS } from '@/lib/protocol/permissions';

/** REST bodies of /api/v1/workflows/{name}/sharing and /api/v1/views/{viewId}/sharing: who reaches one object. */

const EVERYONE = 'everyone';

/** `user:ID` or `user:EMAIL`, `team:ID` or `team:NAME`, `everyone` (of the organisation). */
const subjectSchema = z
  .string()
  .max(300)
  .regex(/^(?:user:\S.*|team:\S.*|everyone)$/, 'write user:EMAIL, team:NAME or everyone')
  .describe('`user:` with an id or e-mail address, `team:` with an id or name, or `everyone`.');

const levelSchema = z
  .enum(SHARE_LEVELS)
  .describe(
    '`read`: see it and its runs. `write`: also start and control runs, answer their tasks, publish versions. `admin`: also change who reaches it.',
  );

export const sharingBodySchema = z.strictObject({
  restricted: z
    .boolean()
    .describe(
      'Only those it is shared with, its creator and administrators reach it; to others it does not exist.',
    ),
  shares: z.array(z.strictObject({ subject: subjectSchema, level: levelSchema })).max(500),
});
export type SharingBody = z.infer<typeof sharingBodySchema>;

const shareSchema = z.object({
  subject: z.string().describe('`user:ID`, `team:ID` or `everyone`.'),
  name: z.string().describe('What people call it: an e-mail address, the name of a team.'),
  level: levelSchema,
});
export type ShareView = z.infer<typeof shareSchema>;

/** Who reaches one object, beside what roles say. */
export const sharingSchema = z.object({
  kind: z.enum(OBJECT_KINDS),
  object: z.string().describe('Name of the workflow, id of the view.'),
  restricted: z.boolean(),
  creator: z.string().nullable().describe('Id of whoever made it; a restriction does not touch them.'),
  shares: z.array(shareSchema),
  version: z.int().min(0),
});
export type SharingView = z.infer<typeof sharingSchema>;

/** Who a share is for, in parts; `id` is empty for everyone. */
export interface Subject {
  kind: 'user' | 'team' | 'everyone';
  id: string;
}

/** A subject as one text, as it is written in requests. */
export function subjectText({ kind, id }: Subject): string {
  return kind === EVERYONE ? EVERYONE : `${kind}:${id}`;
}

/** The parts of a subject; what stands behind the colon may still be a name. */
export function subjectParts(text: string): Subject {
  if (text === EVERYONE) return { kind: EVERYONE, id: '' };
  const at = text.indexOf(':');
  return { kind: text.slice(0, at) === 'team' ? 'team' : 'user', id: text.slice(at + 1).trim() };
}
