// Shows the OpenAPI document of the service that the page's own address names: /docs/<service>.
"use strict";

const service = window.location.pathname.replace(/\/+$/, "").split("/").pop();

document.title = `Chỉ tiêu – ${service}`;
SwaggerUIBundle({
  url: `/v1/${service}/openapi.json`,
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null, // the stock validator is a foreign site; government networks are closed
});
