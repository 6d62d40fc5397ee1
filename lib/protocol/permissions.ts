import { z } from 'zod';
import { type Actor, ROLES, type Role } from '@/lib/protocol/actor';
import type { Topic } from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';

/**
 * Everything that can be allowed, with what it means. The one table that REST, sockets, the command line and agents' tools
 * are measured by; docs/security.md is checked against it. `workflows`, `executions`, `tasks` and `users:manage` carry the
 * names of the document the product began with; the others are of the same form.
 */
export const PERMISSIONS = {
  'workflows:read': 'Read workflows, their versions and plans.',
  'workflows:execute': 'Start runs.',
  'workflows:write': 'Publish and change workflows.',
  'workflows:share': 'Say who reaches a workflow.',
  'executions:read': 'Read runs, their histories and payloads; watch them live.',
  'payloads:reveal':
    'See sensitive values of runs that everybody else sees masked; each look is in the audit log.',
  'executions:control': 'Pause, resume, cancel, end, signal, retry and rerun runs, one or many.',
  'tasks:read': 'See what waits for people.',
  'tasks:answer': 'Answer what servers ask and settle calls whose outcome nobody knows.',
  'approvals:decide': 'Say yes or no to the questions of runs.',
  'schedules:read': 'Read schedules and their times.',
  'schedules:write': 'Create, change, trigger and delete schedules.',
  'servers:read': 'Read servers, their health, tools and events.',
  'servers:call': 'Call tools directly, test servers, read their logs.',
  'servers:manage': 'Add, change and remove servers; accept changed tools; grant access to them.',
  'registries:read': 'Search the catalogue.',
  'registries:manage': 'Add, change and remove catalogue sources.',
  'secrets:read': 'List the names of secrets (never their values).',
  'secrets:write': 'Set and remove secrets.',
  'webhooks:read': 'Read webhooks and their deliveries.',
  'webhooks:write': 'Create, change and remove webhooks.',
  'alerts:read': 'Read alerts and their rules.',
  'alerts:write': 'Change alert rules; acknowledge alerts.',
  'views:read': 'Read saved views and dashboards.',
  'views:write': 'Save, change and remove views and dashboards.',
  'views:share': 'Say who reaches a view or dashboard of somebody else.',
  'settings:read': 'Read the settings of the organisation.',
  'settings:write': 'Change the settings of the organisation.',
  'audit:read': 'Search, verify and export the audit log.',
  'keys:write': 'Make and revoke API keys of one’s own, never stronger than oneself.',
  'users:read': 'See members, roles and invitations.',
  'users:manage': 'Invite and remove members, change their roles, define roles, revoke any key.',
  'organization:read': 'Read the organisation, its quotas and their use.',
  'organization:manage': 'Rename the organisation, set its quotas, make and remove owners.',
  'about:read': 'Read the description of the API and who one is.',
} as const satisfies Record<string, string>;

export type Permission = keyof typeof PERMISSIONS;

/** Every permission, in the order of the table. */
export const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as Permission[];

export const permissionSchema = z.enum(ALL_PERMISSIONS as [Permission, ...Permission[]]);

/** A permission, or everything of one kind. */
type Grant = Permission | `${string}:*`;

const READS: Grant[] = [
  'workflows:read',
  'executions:read',
  'tasks:read',
  'schedules:read',
  'servers:read',
  'registries:read',
  'webhooks:read',
  'alerts:read',
  'views:read',
  'settings:read',
  'users:read',
  'organization:read',
  'about:read',
];

/** What each built-in role adds to the one below it. */
const GRANTS: Readonly<Record<Role, readonly Grant[]>> = {
  viewer: [...READS, 'keys:write'],
  operator: [
    'workflows:execute',
    'executions:control',
    'tasks:answer',
    'approvals:decide',
    'schedules:write',
    'servers:call',
    'alerts:write',
    'views:write',
  ],
  admin: [
    'workflows:*',
    'executions:*',
    'tasks:*',
    'users:manage',
    'approvals:*',
    'schedules:*',
    'servers:*',
    'registries:*',
    'secrets:*',
    'webhooks:*',
    'alerts:*',
    'views:*',
    'settings:*',
    'audit:*',
  ],
  owner: ['organization:*', 'payloads:reveal'],
};

const OF_ROLE = new Map<Role, ReadonlySet<Permission>>();
for (const [index, role] of ROLES.entries()) {
  const below = ROLES[index - 1];
  const own = ALL_PERMISSIONS.filter((one) =>
    GRANTS[role].some((grant) => grant === one || grant === `${one.split(':')[0]}:*`),
  );
  OF_ROLE.set(role, new Set([...(below ? (OF_ROLE.get(below) ?? []) : []), ...own]));
}

/** What a built-in role may do. */
export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return OF_ROLE.get(role) ?? new Set();
}

/** The weakest built-in role that has a permission; the owner has all of them. */
export function weakestRole(permission: Permission): Role {
  return ROLES.find((role) => permissionsOf(role).has(permission)) ?? 'owner';
}

/** The strongest built-in role whose permissions are all in a set; viewer when there is none. A custom role stands there. */
export function standingOf(permissions: ReadonlySet<string>): Role {
  return ROLES.findLast((role) => [...permissionsOf(role)].every((one) => permissions.has(one))) ?? 'viewer';
}

/** True when the actor may: by its own list (custom role, scoped key), else by its role. */
export function may(actor: Pick<Actor, 'role' | 'permissions'>, permission: Permission): boolean {
  if (actor.permissions !== undefined) return actor.permissions.includes(permission);
  return permissionsOf(actor.role).has(permission);
}

/** Kinds of objects that can be shared one by one. */
export const OBJECT_KINDS = ['workflow', 'view'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** What a share gives, weakest first; each level has what those before it have. */
export const SHARE_LEVELS = ['read', 'write', 'admin'] as const;
export type ShareLevel = (typeof SHARE_LEVELS)[number];

const READ_WORKFLOW: readonly Permission[] = ['workflows:read', 'executions:read', 'tasks:read'];
const WRITE_WORKFLOW: readonly Permission[] = [
  ...READ_WORKFLOW,
  'workflows:execute',
  'workflows:write',
  'executions:control',
  'tasks:answer',
  'approvals:decide',
];

/**
 * What a level of sharing means: permissions, on the one object alone. The level `admin` of a kind is also the list of the
 * permissions that are about one object of that kind; a restriction takes those, and no others, from who has no share.
 */
export const LEVEL_GRANTS: Readonly<Record<ObjectKind, Readonly<Record<ShareLevel, readonly Permission[]>>>> =
  {
    workflow: {
      read: READ_WORKFLOW,
      write: WRITE_WORKFLOW,
      admin: [...WRITE_WORKFLOW, 'workflows:share'],
    },
    view: {
      read: ['views:read'],
      write: ['views:read', 'views:write'],
      admin: ['views:read', 'views:write', 'views:share'],
    },
  };

/** What saying who reaches an object needs; who made it has it with the permission to write. */
export const SHARE_PERMISSIONS: Readonly<Record<ObjectKind, { share: Permission; write: Permission }>> = {
  workflow: { share: 'workflows:share', write: 'workflows:write' },
  view: { share: 'views:share', write: 'views:write' },
};

/** What watching a topic needs, over the socket and over REST. */
export const TOPIC_PERMISSIONS: Readonly<Record<Topic, Permission>> = {
  runs: 'executions:read',
  servers: 'servers:read',
  alerts: 'alerts:read',
};

/** What one permission is of little use without. */
const IMPLIED: Readonly<Partial<Record<Permission, readonly Permission[]>>> = {
  'workflows:execute': ['workflows:read', 'executions:read'],
  'executions:control': ['executions:read', 'workflows:read'],
  'payloads:reveal': ['executions:read'],
  'tasks:answer': ['tasks:read', 'executions:read'],
  'approvals:decide': ['tasks:read', 'executions:read'],
  'schedules:write': ['schedules:read', 'workflows:read'],
  'servers:call': ['servers:read'],
  'workflows:share': ['workflows:read', 'users:read'],
};

/** A list of permissions together with those that they imply: reading goes with changing. In the order of the table. */
export function withImplied(permissions: readonly Permission[]): Permission[] {
  const all = new Set<Permission>(['about:read']);
  for (const one of permissions) {
    const read = `${one.split(':')[0]}:read`;
    for (const more of [one, ...(IMPLIED[one] ?? []), ...ALL_PERMISSIONS.filter((each) => each === read)])
      all.add(more);
  }
  return ALL_PERMISSIONS.filter((one) => all.has(one));
}

/** Throws FORBIDDEN unless the actor may. The one place where permissions are checked. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (may(actor, permission)) return;
  throw new AppError(
    'FORBIDDEN',
    `This needs ${permission} (role ${weakestRole(permission)}); ${actor.displayName} does not have it.`,
    { details: { permission } },
  );
}
