// `diagnostics_channel`: drivers publish, scripts may subscribe.

'use strict';

const channels = new Map();

class Channel {
  #subscribers = new Set();

  constructor(name) {
    this.name = name;
  }

  get hasSubscribers() {
    return this.#subscribers.size > 0;
  }

  subscribe(listener) {
    this.#subscribers.add(listener);
  }

  unsubscribe(listener) {
    return this.#subscribers.delete(listener);
  }

  publish(message) {
    for (const listener of this.#subscribers) listener(message, this.name);
  }

  runStores(context, call, self, ...args) {
    this.publish(context);
    return Reflect.apply(call, self, args);
  }
}

function channel(name) {
  if (!channels.has(name)) channels.set(name, new Channel(name));
  return channels.get(name);
}

/** The five channels of a traced call. */
function tracingChannel(name) {
  const traced = {};
  for (const part of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) traced[part] = channel(`tracing:${name}:${part}`);
  return Object.assign(traced, {
    get hasSubscribers() {
      return [traced.start, traced.end, traced.asyncStart, traced.asyncEnd, traced.error].some((one) => one.hasSubscribers);
    },
    traceSync: (call, context, self, ...args) => Reflect.apply(call, self, args),
    tracePromise: (call, context, self, ...args) => Reflect.apply(call, self, args),
    traceCallback: (call, position, context, self, ...args) => Reflect.apply(call, self, args),
  });
}

module.exports = {
  Channel,
  channel,
  hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
  subscribe: (name, listener) => channel(name).subscribe(listener),
  tracingChannel,
  unsubscribe: (name, listener) => channel(name).unsubscribe(listener),
};
