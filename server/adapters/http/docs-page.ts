import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import { escapeHtml } from '@/server/adapters/http/html';
import type { OpenApiDocument } from '@/server/adapters/http/openapi';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Row {
  method: string;
  path: string;
  of: JsonObject;
}

/** The API as one page without anything from elsewhere: every operation with its parameters, bodies, answers and a form to try it. */
export function docsPage(document: OpenApiDocument): string {
  const rows = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method): Row[] => {
      const of = item[method];
      return isJsonObject(of) ? [{ method: method.toUpperCase(), path, of }] : [];
    }),
  );
  const groups = document.tags.map(({ name, description }) => {
    const mine = rows.filter(({ of }) => Array.isArray(of.tags) && of.tags.includes(name));
    const count = `<small>${mine.length}</small>`;
    return mine.length === 0
      ? ''
      : `<section><h2 id="tag-${escapeHtml(name)}">${escapeHtml(name)} ${count}</h2><p>${escapeHtml(description)}</p>${mine.map(operationHtml).join('')}</section>`;
  });
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code></summary>${schemaHtml(schema)}</details>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenConductor API ${escapeHtml(document.info.version)}</title><style>${STYLE}</style></head><body>
<header><h1>OpenConductor API <small>${escapeHtml(document.info.version)}</small></h1>
<input id="find" type="search" placeholder="Find an operation" aria-label="Find an operation">
<a href="/api/v1/openapi.json">openapi.json</a></header>
<main><p>${escapeHtml(document.info.description)}</p>${groups.join('')}
<section><h2 id="schemas">schemas <small>${schemas.length}</small></h2>${schemas.join('')}</section></main>
<script>${SCRIPT}</script></body></html>`;
}

function operationHtml({ method, path, of }: Row): string {
  const parameters = listOf(of.parameters);
  const body = isJsonObject(of.requestBody) ? of.requestBody : undefined;
  const id = String(of.operationId);
  const find = escapeHtml(`${method} ${path} ${id} ${String(of.summary)}`.toLowerCase());
  return `<details class="operation" id="${escapeHtml(id)}" data-find="${find}">
<summary><b class="${method.toLowerCase()}">${method}</b> <code>${escapeHtml(path)}</code> <span>${escapeHtml(String(of.summary))}</span></summary>
<div>${of.description === undefined ? '' : `<p>${markdown(String(of.description))}</p>`}
<p class="dim">operation <code>${escapeHtml(id)}</code>, permission <code>${escapeHtml(String(of['x-permission']))}</code>, role <code>${escapeHtml(String(of['x-role']))}</code></p>
${parameters.length === 0 ? '' : `<h4>Parameters</h4><table>${parameters.map(parameterHtml).join('')}</table>`}
${body === undefined ? '' : `<h4>Body</h4>${contentHtml(body.content)}`}
<h4>Answers</h4><table>${answersHtml(of.responses)}</table>
${tryHtml(method, path, parameters, body !== undefined)}</div></details>`;
}

function parameterHtml(parameter: JsonObject): string {
  const required = parameter.required === true ? ' *' : '';
  const text = typeof parameter.description === 'string' ? markdown(parameter.description) : '';
  return `<tr><td><code>${escapeHtml(String(parameter.name))}${required}</code></td><td>${escapeHtml(String(parameter.in))}</td><td>${typeHtml(parameter.schema)}</td><td>${text}</td></tr>`;
}

function answersHtml(responses: Json | undefined): string {
  return Object.entries(isJsonObject(responses) ? responses : {})
    .map(([status, answer]) => {
      if (!isJsonObject(answer)) return '';
      const shown = Number(status) < 400 ? contentHtml(answer.content) : '';
      return `<tr><td><code>${escapeHtml(status)}</code></td><td>${markdown(String(answer.description))}${shown}</td></tr>`;
    })
    .join('');
}

function contentHtml(content: Json | undefined): string {
  return Object.entries(isJsonObject(content) ? content : {})
    .map(([type, media]) => {
      const schema = isJsonObject(media) ? media.schema : undefined;
      return `<p><code>${escapeHtml(type)}</code> ${typeHtml(schema)}</p>`;
    })
    .join('');
}

/** A type in a few words, with links to the schemas it names. */
function typeHtml(schema: Json | undefined): string {
  if (!isJsonObject(schema)) return '';
  if (typeof schema.$ref === 'string') {
    const name = escapeHtml(schema.$ref.split('/').at(-1) ?? '');
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (Array.isArray(schema.enum))
    return schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' ');
  if (schema.const !== undefined) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`;
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choices.map(typeHtml).join(' or ');
  if (schema.type === 'array') return `list of ${typeHtml(schema.items) || 'anything'}`;
  if (isJsonObject(schema.properties)) return schemaHtml(schema);
  const fallback =
    schema.default === undefined
      ? ''
      : `, default <code>${escapeHtml(JSON.stringify(schema.default))}</code>`;
  const range = ['minimum', 'maximum', 'minLength', 'maxLength', 'format']
    .flatMap((key) => (schema[key] === undefined ? [] : [`${key} ${String(schema[key])}`]))
    .join(', ');
  return `${escapeHtml(String(schema.type ?? 'anything'))}${range === '' ? '' : ` <small>${escapeHtml(range)}</small>`}${fallback}`;
}

function schemaHtml(schema: Json): string {
  if (!isJsonObject(schema)) return '';
  if (!isJsonObject(schema.properties)) {
    const { description, ...rest } = schema;
    return `<p>${description === undefined ? '' : markdown(String(description))} ${typeHtml(rest)}</p>`;
  }
  const required = Array.isArray(schema.required) ? schema.required : [];
  const rows = Object.entries(schema.properties).map(([name, property]) => {
    const text =
      isJsonObject(property) && typeof property.description === 'string'
        ? markdown(property.description)
        : '';
    return `<tr><td><code>${escapeHtml(name)}${required.includes(name) ? ' *' : ''}</code></td><td>${typeHtml(property)}</td><td>${text}</td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

/** A form that sends the request from the page. Streams are not for it. */
function tryHtml(method: string, path: string, parameters: readonly JsonObject[], hasBody: boolean): string {
  const fields = parameters.map((parameter) => {
    const name = escapeHtml(String(parameter.name));
    return `<label>${name}<input name="${name}" data-in="${escapeHtml(String(parameter.in))}"></label>`;
  });
  const body = hasBody ? '<label>body (JSON)<textarea name="body" rows="5">{}</textarea></label>' : '';
  return `<details><summary>Try it</summary><form data-method="${method}" data-path="${escapeHtml(path)}">${fields.join('')}${body}<button>Send</button><pre></pre></form></details>`;
}

function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Code, paragraphs and nothing else. */
function markdown(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll('\n\n', '<br>');
}

const STYLE = `
:root{color-scheme:dark;--line:#2b3440;--dim:#8b98a8;--accent:#ffb000}
*{box-sizing:border-box}body{margin:0;background:#0b0f14;color:#d6dee8;font:14px/1.5 ui-monospace,Menlo,Consolas,monospace}
header{position:sticky;top:0;display:flex;gap:1rem;align-items:center;flex-wrap:wrap;padding:.6rem 1rem;background:#10161d;border-bottom:1px solid var(--line)}
h1{font-size:1rem;margin:0}h2{font-size:1rem;color:var(--accent);margin:1.5rem 0 .3rem}h4{margin:.8rem 0 .2rem}
small,.dim{color:var(--dim)}main{max-width:70rem;margin:0 auto;padding:1rem}a{color:#6cb6ff}
details{border:1px solid var(--line);margin:.25rem 0}summary{padding:.35rem .6rem;cursor:pointer}details>div,details>table,details>p,form{padding:.2rem 1rem .8rem;margin:0}
summary b{display:inline-block;min-width:4.5em}.get{color:#56d364}.post{color:var(--accent)}.put{color:#6cb6ff}.delete{color:#ff7b72}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.2rem .5rem;vertical-align:top}td p{margin:.1rem 0}
input,textarea,button{background:#0b0f14;color:inherit;border:1px solid var(--line);padding:.3rem .5rem;font:inherit}
form label{display:block;margin:.3rem 0;color:var(--dim)}form input,textarea{display:block;width:100%}pre{overflow:auto;max-height:30rem;white-space:pre-wrap}
summary:focus-visible,a:focus-visible,input:focus-visible,button:focus-visible,textarea:focus-visible{outline:2px solid var(--accent)}
`;

const SCRIPT = `
const find = document.getElementById('find');
find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(' ').filter(Boolean);
  for (const row of document.querySelectorAll('.operation')) row.hidden = !words.every((word) => row.dataset.find.includes(word));
});
const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === 'DETAILS') { target.open = true; target.scrollIntoView(); }
};
addEventListener('hashchange', open);
open();
for (const form of document.querySelectorAll('form')) form.addEventListener('submit', async (event) => {
  event.preventDefault();
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll('input')) {
    if (input.dataset.in === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value));
    else if (input.value !== '' && input.dataset.in === 'query') query.set(input.name, input.value);
    else if (input.value !== '') headers[input.name] = input.value;
  }
  const body = form.elements.body && form.elements.body.value;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const out = form.querySelector('pre');
  out.textContent = '…';
  try {
    const url = path + (query.size ? '?' + query : '');
    const answer = await fetch(url, { method: form.dataset.method, headers, body });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch {}
    out.textContent = answer.status + ' ' + form.dataset.method + ' ' + url + '\\n' + shown;
  } catch (error) { out.textContent = String(error); }
});
`;
