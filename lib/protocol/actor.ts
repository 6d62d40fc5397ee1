import { z } from 'zod';

/** User roles, weakest first; `owner` stands above the three of the seed document. */
export const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks: every service call and every audit entry carries one. */
export const actorSchema = z.object({
  kind: z.enum(['user', 'api-key', 'agent', 'system']),
  id: z.string(),
  organizationId: z.uuid(),
  role: z.enum(ROLES),
  displayName: z.string(),
});
export type Actor = z.infer<typeof actorSchema>;

/** True when `role` is `needed` or stands above it. */
export function hasRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
