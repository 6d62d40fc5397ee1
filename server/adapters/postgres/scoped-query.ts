import pg from 'pg';
import { hiddenNow } from '@/server/adapters/postgres/hidden-scope';

/** What of a connection a query uses to send its messages; the package's types leave it out. */
interface Wire {
  stream: { cork(): void; uncork(): void };
  parse(message: { text: string; name: string; types: number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly string[] }): void;
  execute(message: { portal: string }): void;
}

/** How `pg` hands the answers over to a query; the package's types leave it out. */
interface Answered {
  submit(connection: Wire): Error | null;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Wire): void;
}

const Query = pg.Query as unknown as new (config: object) => Answered;

const SCOPE = `SELECT set_config('app.organization_id', $1, true), set_config('app.hidden_workflows', $2, true)`;

/**
 * A statement with another one before it that says what may be seen. Both are sent in one piece and end with one Sync, which makes
 * them one transaction (PostgreSQL, "Pipelining"): what the first one sets is gone when the second one has been answered.
 */
class ScopedQuery extends Query {
  private isInside = false;

  constructor(
    config: object,
    private readonly scope: readonly [organizationId: string, hidden: string],
  ) {
    super(config);
  }

  override submit(connection: Wire): Error | null {
    connection.stream.cork();
    try {
      connection.parse({ text: SCOPE, name: '', types: [] });
      connection.bind({ portal: '', statement: '', values: this.scope });
      connection.execute({ portal: '' });
      return super.submit(connection);
    } finally {
      connection.stream.uncork();
    }
  }

  override handleDataRow(message: unknown): void {
    if (this.isInside) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.isInside) super.handleCommandComplete(message, connection);
    this.isInside = true;
  }
}

/**
 * One read of one organisation in one round trip, where a unit of work (`inOrganization`, `withinOrganization`) takes four: for
 * what nearly every request asks. Row-level security shows that organisation's rows and no others; of those, none that is hidden
 * from whoever asks.
 *
 * @param pool connections as oc_app
 * @param name keeps the statement prepared; one name stands for one text
 */
export async function readInOrganization<T extends pg.QueryResultRow>(
  pool: pg.Pool,
  organizationId: string,
  { text, values, name }: { text: string; values: readonly unknown[]; name?: string | undefined },
): Promise<T[]> {
  const config = { text, values: [...values], name, queryMode: 'extended' };
  const query = new ScopedQuery(config, [organizationId, hiddenNow() ?? '']);
  return (await pool.query<T>(query as unknown as pg.QueryConfig)).rows;
}
