// Worker threads that come and go, buffers that change hands, and a busy heap beside them.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib');
const crypto = require('crypto');

if (!isMainThread) {
  const kept = new Map();
  for (let n = 0; n < 20000; n++) {
    kept.set('key' + (n * workerData) % 7919, Buffer.alloc(n % 3000, n % 256));
  }
  let sum = 0;
  for (const value of kept.values()) sum += value.length;
  const block = new Uint8Array(1 << 20).fill(workerData);
  const packed = zlib.gzipSync(Buffer.from(block));
  if (zlib.gunzipSync(packed).length !== block.length) throw new Error('gzip');
  parentPort.postMessage({ sum, block }, [block.buffer]);
} else {
  const run = (n) => new Promise((done, failed) => {
    const worker = new Worker(__filename, { workerData: n });
    let answer;
    worker.on('message', (message) => { answer = message; });
    worker.on('error', failed);
    worker.on('exit', () => done(answer));
  });
  (async () => {
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all([1, 2, 3, 4].map((n) => run(n + round * 4)));
      for (const { sum, block } of answers) {
        console.log(sum, block.length, crypto.createHash('sha256').update(block).digest('hex'));
      }
    }
    const words = [];
    for (let n = 0; n < 200000; n++) words.push((n * 7919 % 200003).toString(36));
    words.sort();
    console.log(words.length, words[1000], JSON.stringify(words).length);
    const packed = zlib.brotliCompressSync(words.join(' '), { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } });
    console.log(zlib.brotliDecompressSync(packed).length);
  })();
}
