package org.kfac4j.spark.ml;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.stream.StreamSupport;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.MLReader;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.Shape;
import org.kfac4j.spark.HadoopStorage;
import scala.Option;

/** Reads what {@link ModelWriter} has written. */
final class ModelReader<M extends KfacModel<M>> extends MLReader<M> {
  /** Makes a model of a network. */
  interface Maker<M> {
    M make(String uid, KfacModel.Trained trained);
  }

  private final Class<M> type;
  private final Maker<M> maker;

  ModelReader(Class<M> type, Maker<M> maker) {
    this.type = type;
    this.maker = maker;
  }

  /**
   * @throws InvalidInputException if the directory is missing, damaged or holds something else
   */
  @Override
  public M load(String path) {
    HadoopStorage storage = new HadoopStorage(sc().hadoopConfiguration());
    DefaultParamsReader.Metadata metadata = metadata(storage, path);
    int[] image = image(metadata, path);
    Dl4jModel.Loaded loaded =
        Dl4jModel.read(storage, new Path(path, ModelWriter.NETWORK).toString(), 0, shape(image));
    M model = maker.make(metadata.uid(), new KfacModel.Trained(loaded.model(), loaded.theta()));
    metadata.getAndSetParams(model, Option.empty());
    return model;
  }

  private DefaultParamsReader.Metadata metadata(HadoopStorage storage, String path) {
    try {
      InvalidInputException.require(
          storage.exists(new Path(path, "metadata").toString()),
          "%s is no saved model: it has no metadata",
          path);
      DefaultParamsReader.Metadata metadata = DefaultParamsReader.loadMetadata(path, sc(), "");
      InvalidInputException.require(
          metadata.className().equals(type.getName()),
          "%s holds a %s, not a %s",
          path,
          metadata.className(),
          type.getName());
      return metadata;
    } catch (InvalidInputException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new InvalidInputException(path + ": damaged metadata: " + firstLine(e), e);
    }
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.getClass().getName());
  }

  /** The parameter inputShape, which is needed to make sense of the network. */
  private static int[] image(DefaultParamsReader.Metadata metadata, String path) {
    try {
      JsonNode shape =
          new ObjectMapper().readTree(metadata.metadataJson()).at("/paramMap/inputShape");
      return StreamSupport.stream(shape.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    } catch (IOException e) {
      throw new InvalidInputException(path + ": damaged metadata: " + firstLine(e), e);
    }
  }

  static @Nullable Shape shape(int[] image) {
    return image.length == 0 ? null : new Shape(image[1], image[2], image[0]);
  }
}
