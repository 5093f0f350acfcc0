export default {
  careplan: {
    input: { target: process.env.CONTRACT ?? "one-form.json" },
    output: { target: "generated/orval.ts", client: "fetch", baseUrl: process.env.ADDRESS ?? "http://127.0.0.1:8000" },
  },
};
