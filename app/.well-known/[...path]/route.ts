import { getInstance } from '@/server/instance';

export const dynamic = 'force-dynamic';

/** Metadata of the OAuth 2.1 provider, where clients look for it. */
export const GET = (request: Request): Promise<Response> => getInstance().handle(request);
