/**
 * The packages of OpenTelemetry. Loaded only when tracing is on: together they cost every start a good tenth of a second. The
 * bundler hoists static imports, so nobody else may import them but for types.
 */
export async function loadOtel() {
  const [api, core, resources, sdk, otlp] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  return { api, core, resources, sdk, otlp };
}

export type Otel = Awaited<ReturnType<typeof loadOtel>>;
