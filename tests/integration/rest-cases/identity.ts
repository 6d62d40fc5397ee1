import { type Cases, NOBODY, type World } from './case';

/** An answer's body, as tests look at it. */
// biome-ignore lint/suspicious/noExplicitAny: looked at in many ways
const bodyOf = async (asked: Promise<{ body: unknown }>): Promise<any> => (await asked).body;

let count = 0;
const fresh = (what: string) => `${what}-${process.pid}-${++count}`;
const me = async (world: World): Promise<string> => (await bodyOf(world.ask('GET', '/api/v1/me'))).id;
const evil = { origin: 'https://evil.example' };
const refused = { status: 403, code: 'FORBIDDEN_ORIGIN' };
const invite = (world: World) =>
  world.ask('POST', '/api/v1/invitations', { email: `${fresh('who')}@example.com`, role: 'viewer' });
const newTeam = async (world: World): Promise<string> =>
  (await bodyOf(world.ask('POST', '/api/v1/teams', { name: fresh('team') }))).id;
const role = { permissions: ['workflows:read'] };
const limits = { maxOpenRuns: null, maxRunsPerDay: null, maxServers: null, maxStorageBytes: null };

/** Who may come in, and what they may do. */
export const identityCases: Cases = {
  getMe: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/me') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/me', undefined, evil) },
  },
  getOrganization: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/organization') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/organization', undefined, evil) },
  },
  renameOrganization: {
    success: { status: 200, ask: (world) => world.ask('PATCH', '/api/v1/organization', { name: 'Acme' }) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('PATCH', '/api/v1/organization', { name: '' }),
    },
  },
  listMembers: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/members') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/members', undefined, evil) },
  },
  setMemberRole: {
    success: {
      status: 200,
      ask: async (world) => world.ask('PATCH', `/api/v1/members/${await me(world)}`, { role: 'owner' }),
    },
    failure: {
      status: 404,
      code: 'MEMBER_NOT_FOUND',
      ask: (world) => world.ask('PATCH', `/api/v1/members/${NOBODY}`, { role: 'viewer' }),
    },
  },
  removeMember: {
    success: {
      status: 204,
      async ask(world) {
        const userId = await world.newMember();
        return world.ask('DELETE', `/api/v1/members/${userId}`);
      },
    },
    failure: {
      status: 409,
      code: 'LAST_OWNER',
      ask: async (world) => world.ask('DELETE', `/api/v1/members/${await me(world)}`),
    },
  },
  listInvitations: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/invitations') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/invitations', undefined, evil) },
  },
  inviteMember: {
    success: { status: 201, ask: invite },
    failure: {
      status: 404,
      code: 'ROLE_NOT_FOUND',
      ask: (world) =>
        world.ask('POST', '/api/v1/invitations', { email: 'a@example.com', role: 'no-such-role' }),
    },
  },
  erasePerson: {
    success: {
      status: 200,
      ask: (world) => world.ask('POST', '/api/v1/erasures', { person: 'me', dryRun: true }),
    },
    failure: {
      status: 404,
      code: 'MEMBER_NOT_FOUND',
      ask: (world) => world.ask('POST', '/api/v1/erasures', { person: 'nobody@example.com' }),
    },
  },
  withdrawInvitation: {
    success: {
      status: 204,
      ask: async (world) => world.ask('DELETE', `/api/v1/invitations/${(await bodyOf(invite(world))).id}`),
    },
    failure: {
      status: 404,
      code: 'INVITATION_NOT_FOUND',
      ask: (world) => world.ask('DELETE', `/api/v1/invitations/${NOBODY}`),
    },
  },
  listRoles: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/roles') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/roles', undefined, evil) },
  },
  putRole: {
    success: { status: 200, ask: (world) => world.ask('PUT', '/api/v1/roles/reader', role) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('PUT', '/api/v1/roles/owner', role),
    },
  },
  removeRole: {
    success: {
      status: 204,
      async ask(world) {
        const name = fresh('role');
        await world.ask('PUT', `/api/v1/roles/${name}`, role);
        return world.ask('DELETE', `/api/v1/roles/${name}`);
      },
    },
    failure: {
      status: 404,
      code: 'ROLE_NOT_FOUND',
      ask: (world) => world.ask('DELETE', '/api/v1/roles/no-such-role'),
    },
  },
  listTeams: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/teams') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/teams', undefined, evil) },
  },
  createTeam: {
    success: { status: 201, ask: (world) => world.ask('POST', '/api/v1/teams', { name: fresh('team') }) },
    failure: {
      status: 409,
      code: 'TEAM_EXISTS',
      async ask(world) {
        const name = fresh('team');
        await world.ask('POST', '/api/v1/teams', { name });
        return world.ask('POST', '/api/v1/teams', { name: name.toUpperCase() });
      },
    },
  },
  renameTeam: {
    success: {
      status: 200,
      ask: async (world) =>
        world.ask('PATCH', `/api/v1/teams/${await newTeam(world)}`, { name: fresh('team') }),
    },
    failure: {
      status: 404,
      code: 'TEAM_NOT_FOUND',
      ask: (world) => world.ask('PATCH', `/api/v1/teams/${NOBODY}`, { name: 'x' }),
    },
  },
  removeTeam: {
    success: {
      status: 204,
      ask: async (world) => world.ask('DELETE', `/api/v1/teams/${await newTeam(world)}`),
    },
    failure: {
      status: 404,
      code: 'TEAM_NOT_FOUND',
      ask: (world) => world.ask('DELETE', `/api/v1/teams/${NOBODY}`),
    },
  },
  addTeamMember: {
    success: {
      status: 200,
      ask: async (world) =>
        world.ask('PUT', `/api/v1/teams/${await newTeam(world)}/members/${await me(world)}`),
    },
    failure: {
      status: 404,
      code: 'MEMBER_NOT_FOUND',
      ask: async (world) => world.ask('PUT', `/api/v1/teams/${await newTeam(world)}/members/${NOBODY}`),
    },
  },
  removeTeamMember: {
    success: {
      status: 204,
      async ask(world) {
        const path = `/api/v1/teams/${await newTeam(world)}/members/${await me(world)}`;
        await world.ask('PUT', path);
        return world.ask('DELETE', path);
      },
    },
    failure: {
      status: 404,
      code: 'MEMBER_NOT_FOUND',
      ask: async (world) =>
        world.ask('DELETE', `/api/v1/teams/${await newTeam(world)}/members/${await me(world)}`),
    },
  },
  listScimTokens: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/scim-tokens') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/scim-tokens', undefined, evil) },
  },
  createScimToken: {
    success: {
      status: 201,
      ask: (world) => world.ask('POST', '/api/v1/scim-tokens', { name: 'Okta', days: 30 }),
    },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('POST', '/api/v1/scim-tokens', { name: '', days: 0 }),
    },
  },
  removeScimToken: {
    success: {
      status: 204,
      async ask(world) {
        const { id } = await bodyOf(world.ask('POST', '/api/v1/scim-tokens', { name: 'short' }));
        return world.ask('DELETE', `/api/v1/scim-tokens/${id}`);
      },
    },
    failure: {
      status: 404,
      code: 'SCIM_TOKEN_NOT_FOUND',
      ask: (world) => world.ask('DELETE', '/api/v1/scim-tokens/none'),
    },
  },
  listApiKeys: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/api-keys') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/api-keys', undefined, evil) },
  },
  createApiKey: {
    success: { status: 201, ask: (world) => world.ask('POST', '/api/v1/api-keys', { name: 'ci', days: 2 }) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('POST', '/api/v1/api-keys', { name: 'ci', scopes: ['everything'] }),
    },
  },
  removeApiKey: {
    success: {
      status: 204,
      async ask(world) {
        const { id } = await bodyOf(world.ask('POST', '/api/v1/api-keys', { name: 'short' }));
        return world.ask('DELETE', `/api/v1/api-keys/${id}`);
      },
    },
    failure: {
      status: 404,
      code: 'KEY_NOT_FOUND',
      ask: (world) => world.ask('DELETE', '/api/v1/api-keys/none'),
    },
  },
  listAudit: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/audit?action=key.') },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('GET', '/api/v1/audit?cursor=elsewhere'),
    },
  },
  verifyAudit: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/audit/verify') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/audit/verify', undefined, evil) },
  },
  exportAudit: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/audit/export?format=csv') },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('GET', '/api/v1/audit/export?format=pdf'),
    },
  },
  getQuotas: {
    success: { status: 200, ask: (world) => world.ask('GET', '/api/v1/quotas') },
    failure: { ...refused, ask: (world) => world.ask('GET', '/api/v1/quotas', undefined, evil) },
  },
  putQuotas: {
    success: { status: 200, ask: (world) => world.ask('PUT', '/api/v1/quotas', limits) },
    failure: {
      status: 400,
      code: 'INVALID_INPUT',
      ask: (world) => world.ask('PUT', '/api/v1/quotas', { ...limits, maxServers: -1 }),
    },
  },
};
