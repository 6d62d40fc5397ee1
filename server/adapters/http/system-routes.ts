import type { Registry } from 'prom-client';
import { toAppError, toProblem } from '@/lib/protocol/errors';
import { json } from '@/server/adapters/http/router';
import type { HealthService } from '@/server/services/health-service';

/** /health, /health/deep and /metrics; null for any other address. */
export function createSystemRoutes(deps: {
  health: HealthService;
  registry: Registry;
  /** Lets in who may know how the process is; throws UNAUTHENTICATED. That it is alive is no secret. */
  admit: (headers: Headers) => Promise<unknown>;
}) {
  return async (request: Request): Promise<Response | null> => {
    const { pathname } = new URL(request.url);
    if (pathname === '/health') return json(200, deps.health.shallow());
    if (pathname !== '/health/deep' && pathname !== '/metrics') return null;
    try {
      await deps.admit(request.headers);
    } catch (error) {
      const problem = toProblem(toAppError(error));
      return json(problem.status, problem, { 'content-type': 'application/problem+json' });
    }
    if (pathname === '/health/deep') {
      const report = await deps.health.deep();
      return json(report.status === 'down' ? 503 : 200, report);
    }
    if (pathname === '/metrics') {
      const text = await deps.registry.metrics();
      return new Response(text, {
        headers: { 'content-type': deps.registry.contentType, 'cache-control': 'no-store' },
      });
    }
    return null;
  };
}
