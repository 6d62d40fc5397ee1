import { getInstance } from '@/server/instance';

export const dynamic = 'force-dynamic';

/** Sign-in, and the OAuth 2.1 provider. */
const handle = (request: Request): Promise<Response> => getInstance().handle(request);

export { handle as GET, handle as POST };
