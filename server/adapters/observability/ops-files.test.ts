import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '@/server/adapters/observability/metric-catalogue';
import { createPrometheus } from '@/server/adapters/observability/prometheus';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(resolve(root, path), 'utf8');

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
interface Panel {
  id: number;
  type: string;
  title: string;
  targets?: { expr: string; refId: string; datasource: { uid: string } }[];
  gridPos: { x: number; y: number; w: number; h: number };
}

const rules = (
  parse(read('ops/prometheus/rules.yaml')) as { groups: { name: string; rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('ops/grafana/openconductor.json')) as {
  schemaVersion: number;
  uid: string;
  templating: { list: { name: string; type: string; query: unknown }[] };
  annotations: { list: { expr?: string }[] };
  panels: Panel[];
};
const operations = read('docs/operations.md');

/** Every metric that a process serves, with the labels of its series and the suffixes that its type adds. */
async function served(): Promise<Map<string, Set<string>>> {
  const { registry } = createPrometheus();
  const names = new Map<string, Set<string>>();
  const add = (name: string, type: string, labels: readonly string[]) => {
    const all = new Set([...labels, 'instance', 'job']);
    if (type !== 'histogram') names.set(name, all);
    else {
      for (const suffix of ['_count', '_sum']) names.set(name + suffix, all);
      names.set(`${name}_bucket`, new Set([...all, 'le']));
    }
  };
  for (const { name, type } of await registry.getMetricsAsJSON())
    if (!name.startsWith('conductor_')) add(name, String(type), []);
  for (const [name, metric] of Object.entries(METRICS))
    add(name, metric.type, 'labels' in metric ? metric.labels : []);
  for (const { record } of rules) if (record) names.set(record, new Set());
  return names;
}

/** The metrics that a query selects, each with the labels it is asked for. Throws when it is no PromQL. */
function selected(query: string): { name: string; labels: string[] }[] {
  // What Grafana fills in before it asks.
  const text = query.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');
  const found: { name: string; labels: string[] }[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`No PromQL at ${from}: ${text}`);
      if (type.name !== 'VectorSelector') return;
      const identifier = node.getChild('Identifier');
      if (!identifier) throw new Error(`A selector without a name: ${text.slice(from, to)}`);
      found.push({ name: text.slice(identifier.from, identifier.to), labels: labelsIn(node, text) });
    },
  });
  if (found.length === 0 && !/^vector\(/.test(text)) throw new Error(`It selects nothing: ${text}`);
  return found;
}

function labelsIn(selector: SyntaxNode, text: string): string[] {
  const labels: string[] = [];
  selector.cursor().iterate(({ type, from, to }) => {
    if (type.name === 'LabelName') labels.push(text.slice(from, to));
  });
  return labels;
}

const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
const panelQueries = panels.flatMap((panel) =>
  (panel.targets ?? []).map(({ expr, refId }) => [`panel "${panel.title}" ${refId}`, expr] as const),
);
const queries: (readonly [string, string])[] = [
  ...panelQueries,
  ...rules.map((rule) => [`rule ${rule.record ?? rule.alert}`, rule.expr] as const),
  ...dashboard.annotations.list.flatMap(({ expr }) => (expr ? [['annotation', expr] as const] : [])),
];

describe('dashboard and rules', () => {
  it.each(queries)('%s asks for metrics and labels that exist', async (_where, query) => {
    const known = await served();
    for (const { name, labels } of selected(query)) {
      expect([...known.keys()], query).toContain(name);
      for (const label of labels) expect([...(known.get(name) ?? [])], `${name}{${label}}`).toContain(label);
    }
  });

  it('would notice a slip of the pen', () => {
    expect(() => selected('sum(rate(conductor_inbox_depth[5m])')).toThrow('No PromQL');
    expect(selected('sum by (x) (conductor_inbox_dept{a="b"})')).toEqual([
      { name: 'conductor_inbox_dept', labels: ['a'] },
    ]);
  });

  it.each(Object.keys(METRICS))('%s is shown or watched', (metric) => {
    const used = queries.flatMap(([, query]) => selected(query).map(({ name }) => name));
    expect(used.map((name) => name.replace(/_(bucket|count|sum)$/, ''))).toContain(metric);
  });

  it('hold a dashboard that Grafana imports: version, data source to choose, panels that do not overlap', () => {
    expect(dashboard).toMatchObject({ uid: 'openconductor' });
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    expect(dashboard.templating.list[0]).toMatchObject({
      name: 'datasource',
      type: 'datasource',
      query: 'prometheus',
    });
    for (const { targets, title } of panels) {
      expect(targets?.length, title).toBeGreaterThan(0);
      for (const target of targets ?? []) expect(target.datasource.uid, title).toBe('${datasource}');
    }
    const ids = dashboard.panels.map((panel) => panel.id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x}/${y}`), title).toBe(false);
          cells.add(`${x}/${y}`);
        }
    }
  });

  it('hold alerts that say what is wrong, how bad it is, and where the way out is described', () => {
    const alerts = rules.filter((rule) => rule.alert);
    expect(alerts.length).toBeGreaterThan(8);
    const headings = operations
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
    for (const { alert, labels, annotations } of alerts) {
      expect(['critical', 'warning', 'info'], alert).toContain(labels?.severity);
      expect(annotations?.summary, alert).toMatch(/\.$/);
      expect(annotations?.description, alert).toBeDefined();
      const [file, anchor] = annotations?.runbook?.split('#') ?? [];
      expect(file, alert).toBe('docs/operations.md');
      expect(headings, alert).toContain(anchor);
    }
  });

  it('come with examples that can be read: a scrape of /metrics with these rules, a collector on the standard port', () => {
    const prometheus = parse(read('ops/prometheus/prometheus.yaml'));
    expect(prometheus.rule_files).toEqual(['rules.yaml']);
    expect(prometheus.scrape_configs[0]).toMatchObject({
      job_name: 'openconductor',
      metrics_path: '/metrics',
    });
    const collector = parse(read('ops/otel-collector.yaml'));
    expect(collector.receivers.otlp.protocols.http.endpoint).toMatch(/:4318$/);
    const { receivers, processors, exporters } = collector.service.pipelines.traces;
    for (const [kind, names] of Object.entries({ receivers, processors, exporters }))
      for (const name of names as string[]) expect(Object.keys(collector[kind])).toContain(name);
  });

  it('watch the limits that were promised', () => {
    const of = (name: string) => rules.find((rule) => rule.alert === name)?.expr;
    expect(of('OpenConductorQueueDeep')).toBe('openconductor:queue_depth > 10000');
    expect(of('OpenConductorRunsFailing')).toBe('openconductor:run_failure_ratio:5m > 0.1');
  });
});

describe('the list of metrics in docs/operations.md', () => {
  const rows = operations.split('\n').filter((line) => line.startsWith('| `conductor_'));

  it.each(Object.entries(METRICS))('has %s as it is', (name, metric) => {
    const labels = 'labels' in metric ? metric.labels.map((label) => `\`${label}\``).join(', ') : '';
    expect(rows).toContain(`| \`${name}\` | ${metric.type} | ${labels} | ${metric.help} |`);
  });

  it('has no metric that does not exist', () => {
    expect(rows.length).toBe(Object.keys(METRICS).length);
  });
});
