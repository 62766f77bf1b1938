package org.kfac4j.spark.ml;

import java.util.List;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamValidators;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.types.StructType;
import org.kfac4j.InvalidInputException;
import org.kfac4j.network.Network;
import org.kfac4j.network.SigmoidCrossEntropy;
import org.kfac4j.network.SquaredError;

/**
 * Trains an autoencoder by second-order steps. Its model's codes are learned features, its
 * reconstruction errors tell unusual rows.
 */
public final class KfacAutoencoder extends KfacEstimator<KfacAutoencoder, KfacAutoencoderModel> {
  private static final long serialVersionUID = 1L;

  private final Param<String> reconstructionCol;
  private final Param<String> encodingCol;
  private final Param<String> errorCol;
  private final Param<String> loss;
  private final Param<String> encodingLayer;

  public KfacAutoencoder() {
    this(Identifiable$.MODULE$.randomUID("kfacAutoencoder"));
  }

  public KfacAutoencoder(String uid) {
    super(uid);
    reconstructionCol = column("reconstructionCol", Texts.RECONSTRUCTION, "reconstruction");
    encodingCol = column("encodingCol", Texts.ENCODING, "encoding");
    errorCol = column("errorCol", Texts.ERROR, "reconstructionError");
    encodingLayer = column("encodingLayer", Texts.ENCODING_LAYER, "");
    loss =
        new Param<>(
            this,
            "loss",
            "of layers: xent (features in [0, 1], sigmoid outputs), mse or l2 (any features)",
            ParamValidators.inArray(List.of("xent", "mse", "l2")));
    translate(loss, "model.loss");
  }

  public static KfacAutoencoder load(String path) {
    return read().load(path);
  }

  public static MLReader<KfacAutoencoder> read() {
    return new DefaultParamsReader<>();
  }

  @Override
  List<String> preset() {
    return List.of();
  }

  @Override
  void checkNetwork(Network network) {
    InvalidInputException.require(
        network.inputs() == network.outputs(),
        "an autoencoder needs as many outputs as inputs, got %d and %d",
        network.outputs(),
        network.inputs());
    InvalidInputException.require(
        network.loss() instanceof SigmoidCrossEntropy || network.loss() instanceof SquaredError,
        "an autoencoder needs cross-entropy with sigmoid (XENT) or a squared error, got %s",
        network.loss().name());
    Reconstruction.encodingValue(network, getEncodingLayer());
  }

  @Override
  Target target(StructType schema, Network network) {
    return new Target.Itself(getFeaturesCol(), network.loss() instanceof SigmoidCrossEntropy);
  }

  @Override
  StructType appended(StructType schema, Network network) {
    StructType result = schema;
    for (KfacModel.Output output :
        Reconstruction.outputs(
            network, getReconstructionCol(), getEncodingCol(), getErrorCol(), getEncodingLayer())) {
      if (!output.field().name().isEmpty()) {
        result = Columns.append(result, output.parameter(), output.field());
      }
    }
    return result;
  }

  @Override
  KfacAutoencoderModel make(KfacModel.Trained trained, StructType schema) {
    return new KfacAutoencoderModel(uid(), trained);
  }

  public Param<String> reconstructionCol() {
    return reconstructionCol;
  }

  public String getReconstructionCol() {
    return getOrDefault(reconstructionCol);
  }

  public KfacAutoencoder setReconstructionCol(String value) {
    return with(reconstructionCol, value);
  }

  public Param<String> encodingCol() {
    return encodingCol;
  }

  public String getEncodingCol() {
    return getOrDefault(encodingCol);
  }

  public KfacAutoencoder setEncodingCol(String value) {
    return with(encodingCol, value);
  }

  public Param<String> errorCol() {
    return errorCol;
  }

  public String getErrorCol() {
    return getOrDefault(errorCol);
  }

  public KfacAutoencoder setErrorCol(String value) {
    return with(errorCol, value);
  }

  public Param<String> encodingLayer() {
    return encodingLayer;
  }

  public String getEncodingLayer() {
    return getOrDefault(encodingLayer);
  }

  public KfacAutoencoder setEncodingLayer(String value) {
    return with(encodingLayer, value);
  }

  public Param<String> loss() {
    return loss;
  }

  public String getLoss() {
    return getOrDefault(loss);
  }

  public KfacAutoencoder setLoss(String value) {
    return with(loss, value);
  }
}
