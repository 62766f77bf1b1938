package org.kfac4j.training;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Storage;

/** Writes {@code summary.json} when a run has ended: what was run, on what, and how it ended. */
public final class SummaryWriter implements TrainingListener {
  public static final String FILE = "summary.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Storage storage;
  private @Nullable RunInfo info;
  private @Nullable IterationRecord last;

  public SummaryWriter(Storage storage) {
    this.storage = storage;
  }

  @Override
  public void started(RunInfo run) {
    info = run;
  }

  @Override
  public void replayed(IterationRecord record) {
    last = record;
  }

  @Override
  public void iteration(IterationRecord record) {
    last = record;
  }

  @Override
  public void finished(RunSummary summary) {
    if (info == null) {
      throw new IllegalStateException("started has not been called");
    }
    try (OutputStream out = storage.create(Storage.resolve(info.outputDir(), FILE))) {
      out.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json(info, last, summary)));
      out.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ObjectNode json(RunInfo info, @Nullable IterationRecord last, RunSummary summary) {
    ObjectNode json = JSON.createObjectNode();
    json.put("name", info.name());
    json.put("reason", summary.reason());
    json.put("iterations", summary.iterations());
    json.put("resumedFrom", info.resumedFrom());
    MetricsWriter.put(json, "seconds", summary.seconds());
    MetricsWriter.put(json, "medianIterationSeconds", summary.medianIterationSeconds());
    if (last != null) {
      MetricsWriter.put(json, "loss", last.loss());
    }
    if (summary.last() != null) {
      MetricsWriter.put(json.putObject("final"), summary.last());
    }
    if (summary.best() != null) {
      ObjectNode best = json.putObject("best").put("iteration", summary.bestIteration());
      MetricsWriter.put(best, summary.best());
    }
    json.put("trainSize", info.trainSize());
    json.put("testSize", info.testSize());
    ArrayNode layers = json.putArray("layers");
    for (RunInfo.LayerRow row : info.layers()) {
      layers
          .addObject()
          .put("layer", row.layer())
          .put("shape", row.shape())
          .put("parameters", row.parameters())
          .put("factors", row.factors())
          .put("curvature", row.curvature());
    }
    put(json.putObject("settings"), info.settings());
    put(json.putObject("versions"), info.versions());
    put(json.putObject("cluster"), info.cluster());
    return json;
  }

  private static void put(ObjectNode object, Map<String, String> values) {
    new TreeMap<>(values).forEach(object::put);
  }
}
