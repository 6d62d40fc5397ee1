import { z } from 'zod';

/** User roles, weakest first; `owner` stands above the three of the seed document. */
export const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks: every service call and every audit entry carries one. */
export const actorSchema = z.object({
  kind: z.enum(['user', 'api-key', 'agent', 'system']),
  id: z.string(),
  organizationId: z.uuid(),
  /** The built-in role, or the one that a custom role comes closest to. */
  role: z.enum(ROLES),
  /** Set for custom roles and scoped keys: exactly these permissions, whatever the role has. */
  permissions: z.array(z.string()).optional(),
  /** Behind a scoped key or token: the role of its user, which says what is reached; and what the key is limited to. */
  standing: z.enum(ROLES).optional(),
  scopes: z.array(z.string()).optional(),
  displayName: z.string(),
  /** Person in whose name a schedule or a webhook starts runs: their personal credentials are used. */
  onBehalfOf: z.string().optional(),
  /** Where the request came from, for the audit log: an address, and the key or client it acted through. */
  source: z.string().optional(),
});
export type Actor = z.infer<typeof actorSchema>;

/** True when `role` is `needed` or stands above it. */
export function hasRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
