import { AsyncLocalStorage } from 'node:async_hooks';
import { scim } from '@better-auth/scim';
import { APIError } from 'better-auth/api';
import { z } from 'zod';
import { AppError } from '@/lib/protocol/errors';
import { permissionsOf } from '@/lib/protocol/permissions';
import type { OwnRole } from '@/server/ports/identity-store';
import type { ScimStore, ScimToken } from '@/server/ports/scim-store';

const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
/** What somebody becomes whom a directory brings in; people give other roles here. */
const JOINS_AS = 'viewer';
const BUILT_IN = ['viewer', 'operator', 'admin', 'owner'] as const;

/** The request of a directory that is being answered: the gate has checked its token. */
interface ScimRequest {
  token: ScimToken;
  /** Roles of the organisation's own. */
  roles: readonly OwnRole[];
}

/** Set by the gate around better-auth's handler. Without it no SCIM endpoint lets anybody in. */
export const scimRequest = new AsyncLocalStorage<ScimRequest>();

/** An error as RFC 7644 §3.12 writes it. */
export function scimProblem(status: number, detail: string, scimType?: string): object {
  return { schemas: [ERROR], status: String(status), detail, ...(scimType ? { scimType } : {}) };
}

function refusal(status: 400 | 403 | 409, detail: string, scimType?: string): APIError {
  const names = { 400: 'BAD_REQUEST', 403: 'FORBIDDEN', 409: 'CONFLICT' } as const;
  return new APIError(names[status], scimProblem(status, detail, scimType));
}

/** The organisation of a request; one is one connection and one domain of the library. */
function ours(organizationId: string): ScimRequest {
  const request = scimRequest.getStore();
  if (request?.token.organizationId === organizationId) return request;
  throw new AppError('INTERNAL', 'SCIM reached another organisation than that of its token.');
}

/** True when the role has nothing that the maker of the token had not: nobody ends the membership of who stands above them. */
function mayEnd({ token, roles }: ScimRequest, role: string): boolean {
  const builtIn = BUILT_IN.find((one) => one === role);
  const has: Iterable<string> = builtIn
    ? permissionsOf(builtIn)
    : (roles.find((one) => one.name === role)?.permissions ?? []);
  return [...has].every((one) => token.permissions.includes(one));
}

interface MemberRow {
  id: string;
  userId: string;
  role: string;
}

/**
 * The library for users and groups that a directory keeps. What it does to our organisations is here: an active user is a
 * member, one who is not active is none. Sessions, keys and teams follow the membership by triggers of the database.
 */
export function createScim(store: ScimStore) {
  return scim({
    connections: [],
    compatibility: { microsoftEntra: { acceptLegacyGroupSchema: true } },
    authentication: {
      verifyBearerToken() {
        const request = scimRequest.getStore();
        if (!request) return null;
        const { id, organizationId } = request.token;
        return {
          connection: { id: organizationId, provisioningDomainId: organizationId },
          credentialId: id,
          scopes: ['scim.users.read', 'scim.users.write', 'scim.groups.read', 'scim.groups.write'],
        };
      },
    },
    identity: {
      /** An address that has an account is linked only for its own organisation, and the account keeps its name and address. */
      async resolveUser({ connectionId, resource }) {
        const email = resource.primaryEmail;
        if (!z.email().safeParse(email).success)
          throw refusal(400, 'A user needs an e-mail address, in emails or as userName.', 'invalidValue');
        const known = await store.known(ours(connectionId).token.organizationId, email);
        if (known === null) return { action: 'create' };
        if (known !== 'elsewhere') return { action: 'link', userId: known.userId, profile: 'preserve' };
        throw refusal(
          409,
          `${email} has an account that is not of this organisation: invite them first.`,
          'uniqueness',
        );
      },
    },
    projection: {
      async reconcileUser({ provisioningDomainId: organizationId, userId, active }, { database }) {
        const request = ours(organizationId);
        const is = (field: string, value: string) => ({ field, value });
        const here = [is('organizationId', organizationId), is('userId', userId)];
        const member = await database.findOne<MemberRow>({ model: 'member', where: here });
        if (active) {
          if (member === null)
            await database.create({
              model: 'member',
              data: { organizationId, userId, role: JOINS_AS, createdAt: new Date() },
            });
          return;
        }
        if (member === null) return;
        if (!mayEnd(request, member.role))
          throw refusal(
            403,
            `A token made by somebody above ${member.role} is needed to end this membership.`,
          );
        if (member.role === 'owner') {
          // One directory request of an organisation at a time from here on: two could each see the other's owner stay.
          await database.update({
            model: 'scimConnectionBinding',
            where: [is('connectionId', organizationId)],
            update: { decommissionedAt: null },
          });
          const owners = await database.findMany<MemberRow>({
            model: 'member',
            where: [is('organizationId', organizationId), is('role', 'owner')],
          });
          const others = owners.map((one) => one.userId).filter((id) => id !== userId);
          const where = [{ field: 'userId', value: others, operator: 'in' as const }];
          const able = others.length === 0 ? 0 : await database.count({ model: 'account', where });
          if (able === 0) throw refusal(409, 'The last owner who can sign in stays a member.');
        }
        await database.delete({ model: 'member', where: [is('id', member.id)] });
      },
    },
  });
}

/** What better-auth's own writes may do while a directory is answered. */
export const scimHooks = {
  session: {
    delete: {
      /** The library ends all sessions of who is not active; only those of this organisation are meant. See member_left. */
      before: async () => (scimRequest.getStore() ? false : undefined),
    },
  },
} as const;
