import { getInstance } from '@/server/instance';

export const dynamic = 'force-dynamic';

/** Sign-in, the OAuth 2.1 provider, and SCIM. */
const handle = (request: Request): Promise<Response> => getInstance().handle(request);

export { handle as DELETE, handle as GET, handle as PATCH, handle as POST, handle as PUT };
