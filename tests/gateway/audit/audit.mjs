// Prints {"ok": n, "failed": [{"id", "name", "reason"}]} for the server whose GraphQL address is the first argument.
import { serverAudits } from "graphql-http";

const [url] = process.argv.slice(2);
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  results.push(await audit.fn());
}
const failed = results
  .filter((result) => result.status !== "ok")
  .map(({ id, name, reason }) => ({ id, name, reason }));
console.log(JSON.stringify({ ok: results.length - failed.length, failed }));
