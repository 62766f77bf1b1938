package org.kfac4j.training;

import java.util.List;
import java.util.Map;

/**
 * What is known about a run before its first iteration.
 *
 * @param name of the run, for titles
 * @param outputDir where results go
 * @param iterations planned in total
 * @param resumedFrom iteration that the run continues after, 0 for a fresh one
 * @param trainSize examples
 * @param testSize examples
 * @param settings all settings as resolved, "block.key" to rendered value, sorted
 * @param versions of kfac4j, Java, Spark, ND4J, the BLAS library
 * @param cluster master, executors, cores, threads per task
 * @param layers rows of the model and curvature table
 */
public record RunInfo(
    String name,
    String outputDir,
    int iterations,
    int resumedFrom,
    long trainSize,
    long testSize,
    Map<String, String> settings,
    Map<String, String> versions,
    Map<String, String> cluster,
    List<LayerRow> layers) {

  /**
   * One layer in the model and curvature table.
   *
   * @param layer name
   * @param shape for example "784 → 1000"
   * @param parameters how many
   * @param factors for example "785² ⊗ 1000²", or "–"
   * @param curvature what preconditions it, for example "Kronecker, 1 % sampled", or "–"
   */
  public record LayerRow(
      String layer, String shape, long parameters, String factors, String curvature) {}
}
