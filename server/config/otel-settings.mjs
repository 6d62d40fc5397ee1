/**
 * The settings of tracing. Names and meanings are those of the OpenTelemetry specification; its SDK reads further ones
 * (timeouts, batch sizes) by itself.
 *
 * @type {readonly import('./settings.mjs').Setting[]}
 */
export const OTEL_SETTINGS = [
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    key: 'otlpEndpoint',
    kind: 'url',
    default: '',
    protocols: ['http:', 'https:'],
    meaning:
      'OTLP/HTTP collector that traces are sent to, at /v1/traces below it. Empty: no traces are made.',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    key: 'otlpTracesEndpoint',
    kind: 'url',
    default: '',
    protocols: ['http:', 'https:'],
    meaning: 'The same for traces alone, taken as it is.',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    key: 'otlpHeaders',
    kind: 'text',
    default: '',
    meaning: 'Headers sent to the collector: key=value pairs separated by commas, percent-encoded.',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
    key: 'otlpTracesHeaders',
    kind: 'text',
    default: '',
    meaning: 'The same for traces alone; they are added to the ones above and win over them.',
  },
  {
    name: 'OTEL_SERVICE_NAME',
    key: 'otelServiceName',
    kind: 'text',
    default: '',
    meaning: 'Name of this service in traces. Empty: that of the resource attributes, else openconductor.',
  },
  {
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    key: 'otelResourceAttributes',
    kind: 'text',
    default: '',
    meaning: 'More about this process in traces: key=value pairs separated by commas, percent-encoded.',
  },
  {
    name: 'OTEL_TRACES_SAMPLER',
    key: 'otelTracesSampler',
    kind: 'choice',
    default: 'parentbased_always_on',
    choices: [
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ],
    meaning: 'Which traces are recorded. The parentbased ones follow the caller where there is one.',
  },
  {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    key: 'otelTracesSamplerArg',
    kind: 'text',
    default: '',
    pattern: '^(0?\\.\\d+|[01](\\.0*)?)?$',
    allowed: 'a number from 0 to 1',
    meaning: 'Share of the traces that the ratio samplers record. Empty: all.',
  },
  {
    name: 'OTEL_SDK_DISABLED',
    key: 'otelSdkDisabled',
    kind: 'choice',
    default: 'false',
    choices: ['true', 'false'],
    meaning: 'With true no traces are made, whatever else is set.',
  },
];
