// Asks for what is new; a page whose figures are others by now is loaded again.
const shown = document.querySelector("main");
const lead = document.querySelector(".lead");
let rows = Number(document.getElementById("rows").textContent);
async function look() {
  try {
    const answer = await fetch(`state?rows=${rows}`);
    if (answer.status === 200) {
      const state = await answer.json();
      const names = Object.keys(state.figures);
      if (names.join() !== plots.map((plot) => plot.id).join()) { location.reload(); return; }
      for (const plot of plots) {
        const figure = state.figures[plot.id];
        await Plotly.react(plot, figure.data, figure.layout, options);
      }
      document.title = document.querySelector("h1").textContent = state.title;
      lead.textContent = state.lead;
      rows = state.rows;
      document.body.dataset.rows = String(rows);
    } else if (answer.status !== 204) {
      throw new Error(await answer.text());
    }
    shown.style.opacity = 1;
  } catch (error) {
    shown.style.opacity = 0.5;
    const said = error instanceof TypeError ? "The server does not answer" : error.message;
    lead.textContent = `${said}; this is how things were at the last look.`;
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
