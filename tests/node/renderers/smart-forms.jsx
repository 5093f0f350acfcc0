// What the page of smart-forms.mjs runs: Smart Forms shows a Questionnaire, and says what was answered.
import { createRoot } from "react-dom/client";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { BaseRenderer, RendererThemeProvider, buildForm, getResponse, removeEmptyAnswersFromResponse } from "@aehrc/smart-forms-renderer";

globalThis.show = async (questionnaire) => {
  await buildForm({ questionnaire });
  createRoot(document.getElementById("form")).render(
    <RendererThemeProvider>
      <QueryClientProvider client={new QueryClient()}>
        <BaseRenderer />
      </QueryClientProvider>
    </RendererThemeProvider>,
  );
};
globalThis.answered = (questionnaire) => removeEmptyAnswersFromResponse(questionnaire, getResponse());
