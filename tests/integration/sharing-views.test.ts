import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, type SharingWorld, sharingWorld } from '../support/sharing-world';

describe('a saved view', () => {
  let w: SharingWorld;
  let people: Record<'ada' | 'otto' | 'olga' | 'vera', Person>;
  beforeAll(async () => {
    w = await sharingWorld();
    people = {
      ada: await w.person('ada', 'admin'),
      otto: await w.person('otto', 'operator'),
      olga: await w.person('olga', 'operator'),
      vera: await w.person('vera', 'viewer'),
    };
  });
  afterAll(async () => {
    await w.end();
  });

  it('is shared by its owner with single people, private or not; restricted it is theirs alone', async () => {
    const { ada, otto, olga, vera } = people;
    const save = async (name: string, shared: boolean) =>
      (await w.ask(otto, 'POST', '/api/v1/views', { name, shared, filters: {} })).body.viewId as string;
    const [mine, ours] = [await save('mine', false), await save('ours', true)];
    const names = async (who: Person) =>
      (await w.ask(who, 'GET', '/api/v1/views')).body.items.map(({ name }: { name: string }) => name);
    expect(await names(vera)).toEqual(['ours']);
    const shared = await w.share(otto, `/api/v1/views/${mine}`, false, [
      { subject: `user:${vera.email}`, level: 'read' },
    ]);
    expect(shared.status, shared.text).toBe(200);
    expect(await names(vera)).toEqual(['mine', 'ours']);
    expect(await names(olga)).toEqual(['ours']);
    expect((await w.ask(olga, 'GET', `/api/v1/views/${mine}`)).code).toBe('VIEW_NOT_FOUND');
    expect((await w.share(olga, `/api/v1/views/${ours}`, true, [])).code).toBe('FORBIDDEN');
    expect((await w.share(vera, `/api/v1/views/${mine}`, true, [])).code).toBe('FORBIDDEN');

    await w.share(otto, `/api/v1/views/${ours}`, true, [{ subject: `user:${vera.email}`, level: 'write' }]);
    expect(await names(olga)).toEqual([]);
    expect((await w.ask(olga, 'GET', `/api/v1/runs?view=ours`)).code).toBe('VIEW_NOT_FOUND');
    expect(await names(ada)).toEqual(['ours']);
    const { etag } = await w.ask(vera, 'GET', `/api/v1/views/${ours}`);
    const body = { name: 'ours', shared: true, filters: { status: ['failed'] } };
    const changed = await w.ask(vera, 'PUT', `/api/v1/views/${ours}`, body, { 'if-match': etag });
    expect(changed.status, changed.text).toBe(200);
    expect((await w.ask(vera, 'DELETE', `/api/v1/views/${ours}`)).code).toBe('FORBIDDEN');
    expect((await w.ask(otto, 'DELETE', `/api/v1/views/${ours}`)).status).toBe(204);
    const admin = new pg.Client(w.database.adminUrl);
    await admin.connect();
    const { rows } = await admin.query(`SELECT object FROM object_sharing WHERE kind = 'view'`);
    await admin.end();
    expect(rows).toEqual([{ object: mine }]);
  });
});
