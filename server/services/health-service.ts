import type { DeepHealth } from '@/lib/protocol/api';

type Check = DeepHealth['checks'][string];

export interface HealthServiceDeps {
  version: string;
  startedAt: number;
  now: () => number;
  /** Each part looks at itself; a throw or no answer in time counts as down. */
  checks: Record<string, () => Promise<Check>>;
  timeoutMs: number;
}

const ORDER = { ok: 0, degraded: 1, down: 2 } as const;

/** /health says that the process answers; /health/deep asks every part. */
export class HealthService {
  constructor(private readonly deps: HealthServiceDeps) {}

  shallow() {
    const { version, startedAt, now } = this.deps;
    return { status: 'ok' as const, version, uptimeMs: now() - startedAt };
  }

  async deep(): Promise<DeepHealth> {
    const entries = await Promise.all(
      Object.entries(this.deps.checks).map(
        async ([name, check]): Promise<[string, Check]> => [name, await this.run(check)],
      ),
    );
    const worst = entries.reduce<keyof typeof ORDER>(
      (status, [, check]) => (ORDER[check.status] > ORDER[status] ? check.status : status),
      'ok',
    );
    return { ...this.shallow(), status: worst, checks: Object.fromEntries(entries) };
  }

  private async run(check: () => Promise<Check>): Promise<Check> {
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Check>((resolve) => {
      timer = setTimeout(
        () => resolve({ status: 'down', detail: `No answer within ${this.deps.timeoutMs} ms.` }),
        this.deps.timeoutMs,
      );
    });
    try {
      const result = await Promise.race([check(), late]);
      return { ...result, latencyMs: Math.round((performance.now() - begun) * 10) / 10 };
    } catch (error) {
      return { status: 'down', detail: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timer);
    }
  }
}
