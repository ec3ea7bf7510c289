// BullMQ on Redis, with the commands of tests/peers/drive.py.
//
// The limiter is global over all workers of a queue (BullMQ guide, "Rate limiting"). A job whose
// worker died is found when its lock has run out, by the check for stalled jobs (guide, "Stalled
// jobs"); both are 30 s, which its docs advise to leave alone. The variant "short" does not.
// Concurrency 100 where nothing is paced, as the guide has it for jobs that wait (guide,
// "Concurrency").
"use strict";
const fs = require("node:fs");
const { Queue, Worker } = require("bullmq");

const told = JSON.parse(process.env.PEER_SETTING);
const connection = { url: told.place, maxRetriesPerRequest: null };
const [command, ...given] = process.argv.slice(2);
const BATCH = 100;
const BODY = "Halo Budi, silakan bayar pendaftaran Anda di https://bayar.example/REG-1 sebelum besok. ".repeat(3);
const ROUNDS = 3;
const ROUND_MS = 1000;
const now = () => performance.now();

async function send(number) {
  if (told.tally) return void fs.writeSync(tally, ".");
  const answer = await fetch(`${told.sink}/send-message`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ message: `${number} ${BODY}` }),
  });
  await answer.text();
}

const tally = told.tally && command === "work" ? fs.openSync(told.tally, "a") : null;

function work() {
  const short = told.variant === "short" ? { lockDuration: 6000, stalledInterval: 3000 } : {};
  const paced = told.pace_s
    ? { limiter: { max: 1, duration: told.pace_s * 1000 }, concurrency: 1 }
    : { concurrency: 100 };
  const worker = new Worker("peers", (job) => send(job.data.number), { connection, ...short, ...paced });
  worker.on("error", (error) => console.error(error));
}

const commands = {
  prepare: async () => ({}),
  enqueue: async ({ one }, first, count) => {
    for (let n = 0; n < count; n++) await one(first + n);
    return { count };
  },
  measure: async ({ one, many }, how, first) => {
    const [handOver, size, callsMax] = how === "one" ? [one, 1, 1000] : [many, BATCH, 10];
    const rates = [];
    await handOver(first);
    let done = size;
    for (let round = 0; round < ROUNDS; round++) {
      const began = now();
      let [calls, tookMs] = [0, 0];
      while (calls < callsMax && tookMs < ROUND_MS) {
        await handOver(first + done);
        done += size;
        calls += 1;
        tookMs = now() - began;
      }
      rates.push((calls * size * 1000) / tookMs);
    }
    return { rates, count: done };
  },
  fill: async ({ many }, first, count, seconds) => {
    const until = now() + seconds * 1000;
    let done = 0;
    while (done < count && now() < until) {
      await many(first + done);
      done += BATCH;
    }
    return { count: done };
  },
};

async function main() {
  if (command === "work") return work();
  const queue = new Queue("peers", { connection });
  const data = (number) => ({ number, body: BODY });
  const producer = {
    one: (number) => queue.add("send", data(number)),
    many: (first) =>
      queue.addBulk(Array.from({ length: BATCH }, (_, n) => ({ name: "send", data: data(first + n) }))),
  };
  const numbers = given.map((one) => (Number.isNaN(Number(one)) ? one : Number(one)));
  const said = await commands[command](producer, ...numbers);
  console.log(JSON.stringify(said));
  await queue.close();
  process.exit(0);
}

main();
