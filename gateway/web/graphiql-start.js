// Starts GraphiQL on the house's own endpoint. A query may be shared as ?query=…&variables=….
"use strict";

const SCORECARD_QUERY = `# Bảng điểm của các xã trong một tỉnh: mỗi dịch vụ chỉ được hỏi một lần.
# Tab «Headers»: {"Authorization": "Bearer …"} để thấy cả bản nháp của đơn vị mình.
query Scorecard($province: String!, $year: Int!) {
  communes(province: $province, first: 20) {
    nodes {
      code
      nameVi
      plan(year: $year) { planKey titleVi status }
      scorecard(year: $year) {
        target { key nameVi rawTarget }
        actual { value period dataStatus source }
        evaluation { achievement achievementRatio reasonVi }
      }
      budget(year: $year) { lines { key titleVi amountVnd } }
    }
  }
}
`;

const SCORECARD_VARIABLES = JSON.stringify({ province: "75", year: 2026 }, null, 2);

const asked = new URLSearchParams(window.location.search);
const fetcher = GraphiQL.createFetcher({ url: window.location.pathname });

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    query: asked.get("query") ?? undefined,
    variables: asked.get("variables") ?? (asked.has("query") ? undefined : SCORECARD_VARIABLES),
    defaultQuery: SCORECARD_QUERY,
    shouldPersistHeaders: false,
  }),
);
