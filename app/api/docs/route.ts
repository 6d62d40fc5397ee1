import { getInstance } from '@/server/instance';

export const dynamic = 'force-dynamic';

/** The browsable page of the REST API. */
export const GET = (request: Request): Promise<Response> => getInstance().handle(request);
