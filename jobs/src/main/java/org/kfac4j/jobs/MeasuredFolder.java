package org.kfac4j.jobs;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.cost.ClusterSpec;
import org.kfac4j.cost.MeasuredRun;
import org.kfac4j.data.Storage;
import org.kfac4j.training.IterationRecord;
import org.kfac4j.training.MetricsWriter;
import org.kfac4j.training.SummaryWriter;

/** Reads from a run's folder what its iterations cost, and where. */
final class MeasuredFolder {
  /** What seconds of single passes depend on; periods may differ. */
  static final List<String> SAME =
      List.of(
          "optimizer.name",
          "optimizer.preconditioner",
          "optimizer.step",
          "optimizer.exact-momentum",
          "curvature.damping",
          "curvature.fisher",
          "curvature.weight-sharing",
          "curvature.scales",
          "curvature.widest-factor",
          "curvature.wide-factors",
          "curvature.scalings.source",
          "curvature.rows",
          "curvature.window",
          "curvature.cg.operator",
          "curvature.cg.tolerance",
          "curvature.cg.iterations",
          "curvature.cg.jacobi",
          "curvature.cg.warm-start",
          "curvature.two-level.correction",
          "curvature.statistics-fraction",
          "curvature.products-fraction",
          "curvature.gamma-search",
          "curvature.gamma-period",
          "training.precision");

  private MeasuredFolder() {}

  /**
   * A run of the network with {@code parameters} and with {@code settings} that cost the same.
   *
   * @throws InvalidInputException naming folder, file or key if it is not such a run
   */
  static MeasuredRun read(Storage storage, String folder, Settings settings, long parameters)
      throws IOException {
    JsonNode summary;
    try {
      summary = new ObjectMapper().readTree(text(storage, folder, SummaryWriter.FILE));
    } catch (JacksonException e) {
      throw new InvalidInputException(
          "--metrics " + folder + ": " + SummaryWriter.FILE + " is not JSON", e);
    }
    long own = 0;
    for (JsonNode layer : summary.path("layers")) {
      own += layer.path("parameters").asLong();
    }
    InvalidInputException.require(
        own == parameters,
        "--metrics %s: the run's network has %d parameters, the conf's has %d",
        folder,
        own,
        parameters);
    for (String key : SAME) {
      JsonNode theirs = summary.path("settings").path(key);
      String mine = settings.flat().getOrDefault(key, "");
      InvalidInputException.require(
          theirs.isMissingNode() || theirs.asText().equals(mine),
          "--metrics %s: the run has %s = %s, the conf %s",
          folder,
          key,
          theirs.asText(),
          mine);
    }
    JsonNode cluster = summary.path("cluster");
    return new MeasuredRun(
        folder,
        cluster("--metrics " + folder, cluster),
        driverThreads(cluster),
        records(storage, folder));
  }

  static List<IterationRecord> records(Storage storage, String folder) throws IOException {
    return text(storage, folder, MetricsWriter.FILE).lines().map(MetricsWriter::parse).toList();
  }

  /** Of {@link Cluster#describe}. */
  static int driverThreads(JsonNode cluster) {
    return cluster.path("driverThreads").asInt(1);
  }

  /**
   * Where a run was made.
   *
   * @param run for messages
   * @param cluster of {@link Cluster#describe}
   */
  static ClusterSpec cluster(String run, JsonNode cluster) {
    String master = cluster.path("master").asText();
    int executors = cluster.path("executors").asInt(1);
    int cores = cluster.path("parallelTasks").asInt(0) / Math.max(1, executors);
    int slots = Math.max(1, cores / Math.max(1, cluster.path("threadsPerTask").asInt(1)));
    InvalidInputException.require(
        !master.isEmpty() && cluster.path("partitions").asInt(0) >= 1,
        "%s does not say on what cluster it ran",
        run);
    boolean oneMachine = master.startsWith("local");
    return new ClusterSpec(
        oneMachine && !master.startsWith("local-cluster"),
        executors,
        slots,
        cluster.path("partitions").asInt(),
        oneMachine ? executors * slots : slots,
        Double.POSITIVE_INFINITY,
        0,
        1);
  }

  private static String text(Storage storage, String folder, String name) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (InputStream in = storage.open(Storage.resolve(folder, name))) {
      in.transferTo(bytes);
    } catch (FileNotFoundException e) {
      throw new InvalidInputException(
          "--metrics " + folder + ": there is no " + name + ", so it is no finished run", e);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
