import type { Actor } from '@/lib/protocol/actor';

/** A user within one organisation. */
export interface Membership {
  userId: string;
  name: string;
  email: string;
  organizationId: string;
  organization: string;
  /** A built-in role, or the name of one of the organisation's own. */
  role: string;
  /** What an own role allows; null for a built-in one. */
  permissions: string[] | null;
}

/** A key or token that was presented and is good, with the membership of its user in the organisation that it is bound to. */
export interface Presented {
  id: string;
  name: string;
  /** What it is limited to; null = everything its user may. */
  scopes: string[] | null;
  member: Membership;
}

export interface Member {
  userId: string;
  name: string;
  email: string;
  role: string;
  joinedAt: Date;
  lastSeenAt: Date | null;
}

export interface Invitation {
  id: string;
  organizationId: string;
  organization: string;
  email: string;
  role: string;
  status: string;
  expiresAt: Date;
  createdAt: Date;
  invitedBy: string;
}

export interface OwnRole {
  name: string;
  description: string;
  permissions: string[];
  members: number;
}

export interface ApiKeyRow {
  id: string;
  name: string;
  start: string;
  userId: string;
  userName: string;
  scopes: string[] | null;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  uses: number;
}

/** Organisations, users and memberships. */
export interface IdentityStore {
  /** The local organisation and its owner, made at first start. With OPENCONDUCTOR_AUTH=local every request acts as it. */
  ensureLocalOwner(): Promise<Actor>;
  /** True when somebody who can sign in owns the organisation. */
  hasOwner(organizationId: string): Promise<boolean>;
  /** The membership in this organisation, else in the one joined first; null for who belongs to none. */
  membership(userId: string, organizationId: string | null): Promise<Membership | null>;
  /** Ids of every organisation of the instance. */
  everyOrganization(): Promise<string[]>;
  /** All organisations of a user, by name. */
  organizationsOf(userId: string): Promise<{ id: string; name: string; slug: string; role: string }[]>;
  /** A session that has not run out, by its token; null as well when its user belongs to no organisation. */
  session(token: string): Promise<{ expiresAt: Date; member: Membership } | null>;
  /** An enabled key that has not run out, by its hash; null as well when its user is no member of its organisation any more. */
  apiKey(hash: string): Promise<Presented | null>;
  /** The same for an OAuth access token. */
  accessToken(hash: string): Promise<Presented | null>;
  /** Writes down that keys were used, how often. */
  touchKeys(uses: ReadonlyMap<string, number>): Promise<void>;

  organization(organizationId: string): Promise<{ id: string; name: string; slug: string } | null>;
  renameOrganization(organizationId: string, name: string): Promise<void>;

  members(organizationId: string): Promise<Member[]>;
  addMember(organizationId: string, userId: string, role: string): Promise<void>;
  setRole(organizationId: string, userId: string, role: string): Promise<boolean>;
  /** Ends the membership together with all that hangs on it: keys, tokens of programs, sessions here, teams. */
  removeMember(organizationId: string, userId: string): Promise<boolean>;
  /** How many owners who can sign in there are besides this user. */
  otherOwners(organizationId: string, userId: string): Promise<number>;
  findUser(email: string): Promise<{ id: string; hasPassword: boolean } | null>;
  /** Ids of the teams of this organisation that a member belongs to; none for who is not a member. */
  teamsOf(organizationId: string, userId: string): Promise<string[]>;

  invite(invitation: Omit<Invitation, 'organization' | 'status' | 'createdAt'>): Promise<void>;
  invitations(organizationId: string): Promise<Invitation[]>;
  invitation(id: string): Promise<Invitation | null>;
  /** Moves a pending invitation to another status; false when it is not pending any more. */
  settleInvitation(id: string, status: 'accepted' | 'canceled', organizationId?: string): Promise<boolean>;

  roles(organizationId: string): Promise<OwnRole[]>;
  putRole(organizationId: string, role: Omit<OwnRole, 'members'>): Promise<void>;
  removeRole(organizationId: string, name: string): Promise<boolean>;

  keys(organizationId: string): Promise<ApiKeyRow[]>;
  removeKey(organizationId: string, id: string): Promise<boolean>;

  /** Keeps the hash of a one-time link; earlier ones stop working. */
  keepOneTime(purpose: string, hash: string, expiresAt: Date): Promise<void>;
  /** Uses a one-time link up; false when it is unknown, used or too old. */
  takeOneTime(purpose: string, hash: string): Promise<boolean>;
}
