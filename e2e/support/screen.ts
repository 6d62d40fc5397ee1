import { type APIRequestContext, expect, type Locator, type Page } from '@playwright/test';

/** The screen by its names and roles: what a screen reader has, and nothing else. */
export class Screen {
  readonly page: Page;
  readonly list: Locator;
  readonly detail: Locator;
  readonly runs: Locator;
  readonly steps: Locator;
  readonly events: Locator;
  readonly connection: Locator;
  readonly filter: Locator;

  constructor(page: Page) {
    this.page = page;
    this.list = page.getByRole('region', { name: 'Run list' });
    this.detail = page.getByRole('region', { name: 'Run detail' });
    this.runs = this.list.getByRole('grid', { name: 'Runs' });
    this.steps = this.detail.getByRole('grid', { name: 'Steps' });
    this.events = this.detail.getByRole('grid', { name: 'Events' });
    this.connection = page.getByRole('group', { name: 'Connection' });
    this.filter = page.getByRole('searchbox', { name: 'Filter runs' });
  }

  /** Opens an address and waits until the page is live. */
  async open(path = '/'): Promise<void> {
    await this.page.goto(path);
    await this.live();
  }

  async live(): Promise<void> {
    await expect(this.connection).toContainText('LIVE');
  }

  /** Starts the starter workflow with the button of the list and returns the id of the run that is then shown. */
  async startStarter(): Promise<string> {
    // The id is taken from the answer: the page chooses a run by itself too, the newest one when it opens.
    const answer = this.page.waitForResponse(
      (response) =>
        response.request().method() === 'POST' && new URL(response.url()).pathname === '/api/v1/runs',
    );
    await this.list
      .getByRole('button', { name: /^Run starter/ })
      .first()
      .click();
    const { runId } = (await (await answer).json()) as { runId: string };
    await expect.poll(() => this.runIdShown()).toBe(runId);
    return runId;
  }

  /** The run that the address names, or an empty text. */
  runIdShown(): string {
    return new URL(this.page.url()).searchParams.get('run') ?? '';
  }

  /** Waits until the detail is of the run that the address names: for a moment it is of the one before. */
  async opened(): Promise<void> {
    const id = this.detail.getByRole('definition').filter({ hasText: this.runIdShown() });
    await expect(id.first()).toBeVisible({ timeout: 45_000 });
  }

  /** Waits until the shown run has completed. */
  async completed(): Promise<void> {
    await this.opened();
    await expect(this.detail.getByRole('definition').first()).toContainText('Completed', { timeout: 45_000 });
  }

  /** Data rows of a grid that are in the document. */
  rows(grid: Locator): Locator {
    return grid.getByRole('row').filter({ has: this.page.getByRole('gridcell') });
  }
}

/** Starts a run over REST, as any other client would. */
export async function startOverRest(request: APIRequestContext): Promise<string> {
  const answer = await request.post('/api/v1/runs', {
    data: { workflow: 'document-pipeline', servers: ['filesystem', 'memory'], input: { path: 'welcome.md' } },
  });
  expect(answer.ok()).toBe(true);
  const { runId } = (await answer.json()) as { runId: string };
  return runId;
}

/** Collects everything that the console calls an error, and uncaught exceptions. */
export function watchConsole(page: Page): string[] {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  return errors;
}
