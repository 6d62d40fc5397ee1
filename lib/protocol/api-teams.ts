import { z } from 'zod';

const moment = z.iso.datetime();

/** Name of a team: anything people call themselves. */
const teamNameSchema = z.string().trim().min(1).max(80);

export const teamSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Kept by a directory over SCIM: changed there, not here. */
  fromDirectory: z.boolean(),
  members: z.array(z.object({ userId: z.string(), name: z.string(), email: z.string() })),
});
export type TeamBody = z.infer<typeof teamSchema>;
export const teamListSchema = z.object({ items: z.array(teamSchema) });
export const teamNameBodySchema = z.strictObject({ name: teamNameSchema });

export const scimTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** The first characters, to tell tokens apart. */
  start: z.string(),
  /** Who made it; null when they are gone. */
  createdBy: z.string().nullable(),
  createdAt: moment,
  expiresAt: moment.nullable(),
  lastUsedAt: moment.nullable(),
});
export type ScimTokenBody = z.infer<typeof scimTokenSchema>;
export const scimTokenListSchema = z.object({
  /** What the directory is told as the address of this service (tenant URL, base URL). */
  url: z.string(),
  items: z.array(scimTokenSchema),
});
export const createScimTokenBodySchema = z.strictObject({
  name: z.string().trim().min(1).max(80),
  /** The token runs out after this many days; never when left out. */
  days: z.int().min(1).max(3_650).optional(),
});
/** The only answer that ever contains the token itself. */
export const createdScimTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  token: z.string(),
});
export type CreatedScimToken = z.infer<typeof createdScimTokenSchema>;
