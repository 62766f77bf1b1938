package org.kfac4j.spark.ml;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.util.DefaultParamsWriter;
import org.apache.spark.ml.util.MLWriter;
import org.json4s.JsonAST.JObject;
import org.kfac4j.spark.HadoopStorage;
import scala.Option;

/**
 * Writes a model's directory: {@code metadata}, as Spark ML writes it, and {@code model.zip}, the
 * network as DL4J writes it, which is complete without Spark.
 */
final class ModelWriter extends MLWriter {
  static final String NETWORK = "model.zip";

  private final KfacModel<?> model;

  ModelWriter(KfacModel<?> model) {
    this.model = model;
  }

  @Override
  public void saveImpl(String path) {
    HadoopStorage storage = new HadoopStorage(sc().hadoopConfiguration());
    try {
      // Spark's metadata last: with it, the directory is complete.
      model.writeNetwork(storage, new Path(path, NETWORK).toString());
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": " + e.getMessage(), e);
    }
    DefaultParamsWriter.saveMetadata(model, path, sc(), Option.<JObject>empty(), Option.empty());
  }
}
