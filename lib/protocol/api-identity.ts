import { z } from 'zod';
import { ROLES } from '@/lib/protocol/actor';
import { permissionSchema } from '@/lib/protocol/permissions';

const moment = z.iso.datetime();

/** Name of a role: a built-in one or one of the organisation's own. */
export const roleNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'Lower-case letters, digits and hyphens, beginning with a letter.');

/** Who asks, and what they may. */
export const meSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['user', 'api-key', 'agent', 'system']),
  /** How this instance lets people in: `local` (nobody signs in) or `required`. */
  auth: z.enum(['local', 'required']),
  organization: z.object({ id: z.string(), name: z.string(), slug: z.string() }),
  role: z.string(),
  permissions: z.array(z.string()),
  /** Every organisation that the user belongs to. */
  organizations: z.array(z.object({ id: z.string(), name: z.string(), slug: z.string(), role: z.string() })),
});
export type Me = z.infer<typeof meSchema>;

export const organizationSchema = z.object({ id: z.string(), name: z.string(), slug: z.string() });
export const renameBodySchema = z.strictObject({ name: z.string().trim().min(1).max(120) });

export const memberSchema = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.string(),
  joinedAt: moment,
  lastSeenAt: moment.nullable(),
});
export type MemberBody = z.infer<typeof memberSchema>;
export const memberListSchema = z.object({ items: z.array(memberSchema) });
export const setRoleBodySchema = z.strictObject({ role: roleNameSchema });

export const invitationSchema = z.object({
  id: z.string(),
  email: z.string(),
  role: z.string(),
  status: z.string(),
  expiresAt: moment,
  createdAt: moment,
  /** To be sent to the invited person; null when it is of no use any more. */
  url: z.string().nullable(),
});
export type InvitationBody = z.infer<typeof invitationSchema>;
export const invitationListSchema = z.object({ items: z.array(invitationSchema) });
export const inviteBodySchema = z.strictObject({
  email: z.email().max(200),
  role: roleNameSchema,
  /** How long it can be accepted. */
  days: z.int().min(1).max(90).default(7),
});

export const roleSchema = z.object({
  name: z.string(),
  description: z.string(),
  permissions: z.array(z.string()),
  builtIn: z.boolean(),
});
export type RoleBody = z.infer<typeof roleSchema>;
export const roleListSchema = z.object({
  items: z.array(roleSchema),
  /** Everything that can be allowed, with what it means. */
  permissions: z.array(z.object({ name: z.string(), meaning: z.string() })),
});
export const putRoleBodySchema = z.strictObject({
  description: z.string().trim().max(200).default(''),
  permissions: z.array(permissionSchema).min(1),
});
export const ownRolePathSchema = z.object({
  name: roleNameSchema.refine((name) => !(ROLES as readonly string[]).includes(name), {
    message: 'The built-in roles stay as they are.',
  }),
});

export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** The first characters, to tell keys apart. */
  start: z.string(),
  userId: z.string(),
  userName: z.string(),
  /** What the key is limited to; null = everything its user may. */
  scopes: z.array(z.string()).nullable(),
  createdAt: moment,
  expiresAt: moment.nullable(),
  lastUsedAt: moment.nullable(),
  uses: z.int(),
});
export type ApiKeyBody = z.infer<typeof apiKeySchema>;
export const apiKeyListSchema = z.object({ items: z.array(apiKeySchema) });
export const createKeyBodySchema = z.strictObject({
  name: z.string().trim().min(1).max(80),
  scopes: z.array(permissionSchema).min(1).optional(),
  /** The key runs out after this many days; never when left out. */
  days: z.int().min(1).max(3_650).optional(),
});
/** The only answer that ever contains the key itself. */
export const createdKeySchema = z.object({ id: z.string(), name: z.string(), key: z.string() });
