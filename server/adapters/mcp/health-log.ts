import type { HealthHistory, HealthReport, HealthState } from '@/server/ports/mcp-fleet';

/** The newest probes of one server. */
export class HealthLog {
  private readonly reports: HealthReport[] = [];

  constructor(private readonly capacity = 200) {}

  add(report: HealthReport): void {
    this.reports.push(report);
    if (this.reports.length > this.capacity) this.reports.shift();
  }

  history(): HealthHistory {
    const good = this.reports.filter((report) => report.state === 'OPEN').map((report) => report.latencyMs);
    good.sort((left, right) => left - right);
    const at = (share: number) => good[Math.min(good.length - 1, Math.floor(share * good.length))] ?? 0;
    return {
      reports: [...this.reports],
      uptime: this.reports.length === 0 ? null : good.length / this.reports.length,
      latencyMs: good.length === 0 ? null : { p50: at(0.5), p95: at(0.95) },
    };
  }
}

/** The state that an error while connecting or pinging stands for. */
export function healthStateOf(code: string, templated: boolean): HealthState {
  switch (code) {
    case 'SERVER_AUTH_REQUIRED':
      return 'NEEDS_AUTH';
    case 'SERVER_NOT_CONFIGURED':
      return templated ? 'TEMPLATE_URL' : 'NEEDS_AUTH';
    case 'PROTOCOL_ERROR':
      return 'NOT_MCP';
    default:
      return 'UNREACHABLE';
  }
}
