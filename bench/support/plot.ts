/** A line of a panel: one value for each place on the x axis. */
export interface PlotLine {
  name: string;
  y: readonly number[];
}

export interface PlotPanel {
  title: string;
  lines: readonly PlotLine[];
}

const WIDTH = 960;
const HEIGHT = 190;
const LEFT = 70;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 24;
const COLOURS = ['#e8a33d', '#4ea1d3', '#6fbf73'];

/** Panels of lines over the same x axis, one below the other, each from zero, as an SVG picture. */
export function plot(xName: string, x: readonly number[], panels: readonly PlotPanel[]): string {
  const height = HEIGHT * panels.length + 20;
  const body = panels.map((panel, i) => onePanel(x, panel, i * HEIGHT)).join('\n');
  const foot = text(
    LEFT + (WIDTH - LEFT - RIGHT) / 2,
    height - 6,
    `${xName}: ${x.at(-1)?.toLocaleString('en')}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="12">
<title>${panels.map((panel) => panel.title).join('; ')}, over ${xName}</title>
<rect width="${WIDTH}" height="${height}" fill="#101418"/>
${body}
${foot}
</svg>
`;
}

function onePanel(x: readonly number[], { title, lines }: PlotPanel, offset: number): string {
  const top = offset + TOP;
  const bottom = offset + HEIGHT - BOTTOM;
  const most = niceCeiling(Math.max(1e-9, ...lines.flatMap((line) => line.y)));
  const last = x.at(-1) ?? 1;
  const at = (value: number, place: number) =>
    `${(LEFT + ((x[place] ?? 0) / last) * (WIDTH - LEFT - RIGHT)).toFixed(1)},${(bottom - (value / most) * (bottom - top)).toFixed(1)}`;
  const grid = [0, 0.5, 1].map((share) => {
    const y = bottom - share * (bottom - top);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#2a323a"/>${text(LEFT - 8, y + 4, (most * share).toLocaleString('en'), 'end')}`;
  });
  const drawn = lines.map(
    (line, i) =>
      `<polyline fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.5" points="${line.y.map(at).join(' ')}"/>`,
  );
  const names = lines.map((line, i) =>
    text(
      WIDTH - RIGHT - 170 * (lines.length - 1 - i),
      offset + 20,
      line.name,
      'end',
      COLOURS[i % COLOURS.length],
    ),
  );
  return [text(LEFT, offset + 20, title, 'start', '#dfe6ec'), ...grid, ...drawn, ...names].join('\n');
}

function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 5, 8, 10].find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}

function text(x: number, y: number, content: string, anchor = 'middle', fill = '#8b98a5'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}">${content}</text>`;
}
