// Draws every figure; a choice shows the traces whose `meta` is its index, or that have none.
const plots = [...document.querySelectorAll(".plot")];
const options = JSON.parse(document.getElementById("plot-options").textContent);
const drawn = plots.map((plot) => {
  const figure = JSON.parse(document.getElementById(plot.id + "-json").textContent);
  return Plotly.newPlot(plot, figure.data, figure.layout, options);
});
function choose(index) {
  for (const plot of plots) {
    const visible = plot.data.map((trace) => trace.meta === undefined || trace.meta === index);
    Plotly.restyle(plot, {visible: visible});
  }
}
for (const input of document.querySelectorAll(".choices input")) {
  input.addEventListener("change", () => choose(Number(input.value)));
}
Promise.all(drawn).then(() => { document.body.dataset.drawn = String(plots.length); });
