import { getInstance } from '@/server/instance';

export const dynamic = 'force-dynamic';

const handle = (request: Request): Promise<Response> => getInstance().handle(request);

export { handle as GET };
