import { z } from 'zod';
import { send } from '@/lib/client/rest';
import { pageSchema } from '@/lib/protocol/api';
import type { QuotaLimits } from '@/lib/protocol/api-audit';
import { auditEntrySchema, auditVerificationSchema, quotasSchema } from '@/lib/protocol/api-audit';
import {
  apiKeyListSchema,
  createdKeySchema,
  invitationListSchema,
  invitationSchema,
  memberListSchema,
  meSchema,
  roleListSchema,
} from '@/lib/protocol/api-identity';
import { secretInfoSchema } from '@/lib/protocol/api-servers';
import { createdScimTokenSchema, scimTokenListSchema, teamListSchema } from '@/lib/protocol/api-teams';

const anything = z.unknown();
const at = encodeURIComponent;

/** Pages on which nobody is signed in yet: they open no live connection. */
export const ENTRANCES = /^\/(signin|setup|invite|consent)(\/|$)/;

/** Where sign-in leads back to: a path of this instance, whatever the address says. */
export function returnPath(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  return /^\/(?![/\\])/.test(next) && !ENTRANCES.test(next) ? next : '/';
}

/** Requests of the entrance. All functions here throw AppError. */
export const entrance = {
  ways: () => send(z.object({ sso: z.boolean() }), 'GET', '/api/auth/ways'),
  signIn: (email: string, password: string) =>
    send(anything, 'POST', '/api/auth/sign-in/email', { email, password }),
  sso: (callbackURL: string) =>
    send(z.looseObject({ url: z.string() }), 'POST', '/api/auth/sign-in/sso', {
      providerId: 'oidc',
      callbackURL,
    }),
  signOut: () => send(anything, 'POST', '/api/auth/sign-out', {}),
  firstOwner: (body: { token: string; name: string; email: string; password: string }) =>
    send(anything, 'POST', '/api/auth/first-owner', body),
  invitation: (id: string) =>
    send(
      z.object({ email: z.string(), organization: z.string(), role: z.string(), hasAccount: z.boolean() }),
      'GET',
      `/api/auth/invitations/${at(id)}`,
    ),
  accept: (id: string, body: { name?: string; password?: string }) =>
    send(anything, 'POST', `/api/auth/invitations/${at(id)}`, body),
  consent: (accept: boolean, query: string) =>
    send(
      z.looseObject({ url: z.string().optional(), redirect_uri: z.string().optional() }),
      'POST',
      '/api/auth/oauth2/consent',
      {
        accept,
        oauth_query: query,
      },
    ),
  create: (name: string, slug: string) =>
    send(anything, 'POST', '/api/auth/organization/create', { name, slug }),
  switchTo: (organizationId: string) =>
    send(anything, 'POST', '/api/auth/organization/set-active', { organizationId }),
};

/** Requests of the administration. */
export const admin = {
  me: () => send(meSchema, 'GET', '/api/v1/me'),
  members: () => send(memberListSchema, 'GET', '/api/v1/members'),
  setRole: (userId: string, role: string) =>
    send(anything, 'PATCH', `/api/v1/members/${at(userId)}`, { role }),
  removeMember: (userId: string) => send(anything, 'DELETE', `/api/v1/members/${at(userId)}`),
  invitations: () => send(invitationListSchema, 'GET', '/api/v1/invitations'),
  invite: (email: string, role: string) =>
    send(invitationSchema, 'POST', '/api/v1/invitations', { email, role }),
  withdraw: (id: string) => send(anything, 'DELETE', `/api/v1/invitations/${at(id)}`),
  roles: () => send(roleListSchema, 'GET', '/api/v1/roles'),
  putRole: (name: string, permissions: string[]) =>
    send(anything, 'PUT', `/api/v1/roles/${at(name)}`, { permissions }),
  removeRole: (name: string) => send(anything, 'DELETE', `/api/v1/roles/${at(name)}`),
  teams: () => send(teamListSchema, 'GET', '/api/v1/teams'),
  createTeam: (name: string) => send(anything, 'POST', '/api/v1/teams', { name }),
  renameTeam: (teamId: string, name: string) =>
    send(anything, 'PATCH', `/api/v1/teams/${at(teamId)}`, { name }),
  removeTeam: (teamId: string) => send(anything, 'DELETE', `/api/v1/teams/${at(teamId)}`),
  addToTeam: (teamId: string, userId: string) =>
    send(anything, 'PUT', `/api/v1/teams/${at(teamId)}/members/${at(userId)}`),
  removeFromTeam: (teamId: string, userId: string) =>
    send(anything, 'DELETE', `/api/v1/teams/${at(teamId)}/members/${at(userId)}`),
  scimTokens: () => send(scimTokenListSchema, 'GET', '/api/v1/scim-tokens'),
  createScimToken: (name: string, days: number | null) =>
    send(createdScimTokenSchema, 'POST', '/api/v1/scim-tokens', { name, ...(days === null ? {} : { days }) }),
  removeScimToken: (id: string) => send(anything, 'DELETE', `/api/v1/scim-tokens/${at(id)}`),
  keys: () => send(apiKeyListSchema, 'GET', '/api/v1/api-keys'),
  createKey: (body: { name: string; scopes?: string[]; days?: number }) =>
    send(createdKeySchema, 'POST', '/api/v1/api-keys', body),
  removeKey: (id: string) => send(anything, 'DELETE', `/api/v1/api-keys/${at(id)}`),
  secrets: () => send(pageSchema(secretInfoSchema), 'GET', '/api/v1/secrets'),
  setSecret: (name: string, value: string) => send(anything, 'PUT', `/api/v1/secrets/${at(name)}`, { value }),
  removeSecret: (name: string) => send(anything, 'DELETE', `/api/v1/secrets/${at(name)}`),
  audit: (action: string) =>
    send(
      pageSchema(auditEntrySchema),
      'GET',
      `/api/v1/audit?limit=200${action === '' ? '' : `&action=${at(action)}`}`,
    ),
  verify: () => send(auditVerificationSchema, 'GET', '/api/v1/audit/verify'),
  quotas: () => send(quotasSchema, 'GET', '/api/v1/quotas'),
  setQuotas: (limits: QuotaLimits) => send(quotasSchema, 'PUT', '/api/v1/quotas', limits),
};
