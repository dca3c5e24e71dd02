// The worker's other end: questions wait here, so that those about an earlier text can be dropped, and a long one be cancelled.

const PATIENCE = 1500; // milliseconds for an answer about a text that has changed meanwhile; then a new worker is quicker

export class Cancelled extends Error {}

export class Engine {
  #worker;
  #running = null;
  #queue = [];
  #serial = 0;
  #cutting = 0;

  // told: {state(word, seconds), progress(done, size)}
  constructor(told) {
    this.told = told;
    this.#start();
  }

  #start() {
    const url = new URL("worker.js", import.meta.url).href;
    // by way of a blob, the worker has this page's policy of what it may fetch, whatever headers its own file comes with
    const blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(url)};`], { type: "text/javascript" }));
    this.ready = false;
    this.#worker = new Worker(blob, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#heard(data);
    this.#worker.onerror = event => this.#broke(event.message ?? "the worker could not be started");
    this.told.state("loading");
  }

  #heard(data) {
    if (data.ready) {
      this.ready = true;
      this.told.state(this.#running ? "asking" : "ready");
    } else if (data.broken !== undefined && data.id === undefined) this.#broke(data.broken);
    else if (data.id !== this.#running?.id) return;
    else if (data.progress) this.told.progress(...data.progress);
    else this.#ended(task => (data.broken === undefined ? task.resolve(JSON.parse(data.answer)) : task.reject(new Error(data.broken))));
  }

  #broke(reason) {
    this.told.state("broken", reason);
    for (const task of [this.#running, ...this.#queue]) task?.reject(new Error(reason));
    this.#running = null;
    this.#queue = [];
  }

  #ended(how) {
    const task = this.#running;
    this.#running = null;
    clearTimeout(this.#cutting);
    how(task);
    this.#next();
  }

  #next() {
    if (this.#running || !this.#queue.length) {
      if (!this.#running && this.ready) this.told.state("ready");
      return;
    }
    this.#running = this.#queue.shift();
    this.#running.began = performance.now();
    this.#worker.postMessage({ id: this.#running.id, question: this.#running.question, file: this.#running.file });
    this.told.state(this.ready ? "asking" : "loading");
  }

  // live: about what is being written, and given up as soon as that changes
  ask(question, { live = false, file = undefined } = {}) {
    return new Promise((resolve, reject) => {
      const task = { id: ++this.#serial, question, file, live, resolve, reject };
      const first = live ? -1 : this.#queue.findIndex(other => other.live);
      this.#queue.splice(first < 0 ? this.#queue.length : first, 0, task);
      this.#next();
    });
  }

  // the text has changed: what waits is dropped, what runs may end soon or is ended
  changed() {
    const kept = this.#queue.filter(task => !task.live);
    for (const task of this.#queue) if (task.live) task.reject(new Cancelled());
    this.#queue = kept;
    const running = this.#running;
    if (!running?.live || !this.ready) return;
    clearTimeout(this.#cutting);
    const left = PATIENCE - (performance.now() - running.began);
    this.#cutting = setTimeout(() => this.#running === running && this.cancel(), Math.max(0, left));
  }

  get asking() {
    return this.#running && !this.#running.live ? this.#running : null;
  }

  // ends what runs, with its worker
  cancel() {
    this.#worker.terminate();
    this.#start();
    if (this.#running) this.#ended(task => task.reject(new Cancelled()));
  }
}
