package org.kfac4j.network;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Iterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.modelimport.keras.Hdf5Archive;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Storage;

/**
 * A model saved by Keras 2 in its HDF5 format, compiled with a loss, as DL4J's importer reads it.
 * What the importer does not support is refused with its own words.
 */
final class KerasFile {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Storage storage;
  private final String uri;
  private final Refusal refusal;

  KerasFile(Storage storage, String uri, Refusal refusal) {
    this.storage = storage;
    this.uri = uri;
    this.refusal = refusal;
  }

  /**
   * What DL4J makes of it.
   *
   * @param json the configuration
   * @param graph whether that of a ComputationGraph
   * @param parameters in DL4J's order
   * @param input what images are; null if the file does not say it
   */
  record Imported(String json, boolean graph, double[] parameters, @Nullable Shape input) {}

  /** Whether the file starts as HDF5 files do. */
  boolean isKeras() {
    try (InputStream in = storage.open(uri)) {
      return Arrays.equals(in.readNBytes(SIGNATURE.length), SIGNATURE);
    } catch (FileNotFoundException e) {
      throw refusal.invalid("there is no such file");
    } catch (IOException e) {
      throw refusal.invalid("the file cannot be read", e);
    }
  }

  Imported read() {
    // The HDF5 library reads local files only.
    Path copy = copy();
    try {
      return read(copy.toString());
    } finally {
      try {
        Files.deleteIfExists(copy);
      } catch (IOException e) {
        copy.toFile().deleteOnExit();
      }
    }
  }

  private Path copy() {
    try (InputStream in = storage.open(uri)) {
      Path copy = Files.createTempFile("kfac4j-model", ".h5");
      Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
      return copy;
    } catch (IOException e) {
      throw refusal.invalid("the file cannot be copied to the local disk", e);
    }
  }

  private Imported read(String path) {
    JsonNode model = configuration(path);
    boolean graph = !model.path("class_name").asText().equals("Sequential");
    Shape input = input(model);
    try {
      if (graph) {
        ComputationGraph imported = KerasModelImport.importKerasModelAndWeights(path, true);
        return new Imported(
            imported.getConfiguration().toJson(), true, imported.params().toDoubleVector(), input);
      }
      MultiLayerNetwork imported =
          KerasModelImport.importKerasSequentialModelAndWeights(path, true);
      return new Imported(
          imported.getLayerWiseConfigurations().toJson(),
          false,
          imported.params().toDoubleVector(),
          input);
    } catch (Exception e) {
      throw refusal.invalid("DL4J cannot import it from Keras", e);
    }
  }

  private JsonNode configuration(String path) {
    try (Hdf5Archive archive = new Hdf5Archive(path)) {
      refusal.require(
          archive.hasAttribute("model_config"), "no model saved by Keras: it has no model_config");
      refusal.require(
          archive.hasAttribute("training_config"),
          "a model from Keras needs a loss: compile it before it is saved");
      return JSON.readTree(archive.readAttributeAsJson("model_config"));
    } catch (JsonProcessingException e) {
      throw refusal.invalid("its model_config is no JSON", e);
    } catch (org.kfac4j.InvalidInputException e) {
      throw e;
    } catch (Exception e) {
      throw refusal.invalid("the file is damaged or no HDF5 file that Keras saved", e);
    }
  }

  /** The first batch_input_shape, if it is that of images: [n, rows, columns, channels] or NCHW. */
  private static @Nullable Shape input(JsonNode model) {
    boolean channelsFirst = model.findValuesAsText("data_format").contains("channels_first");
    Iterator<JsonNode> layers = model.path("config").path("layers").elements();
    while (layers.hasNext()) {
      JsonNode shape = layers.next().path("config").path("batch_input_shape");
      if (shape.size() == 4) {
        int[] sizes = {shape.get(1).asInt(), shape.get(2).asInt(), shape.get(3).asInt()};
        if (Arrays.stream(sizes).anyMatch(size -> size < 1)) {
          return null;
        }
        return channelsFirst
            ? new Shape(sizes[1], sizes[2], sizes[0])
            : new Shape(sizes[0], sizes[1], sizes[2]);
      }
    }
    return null;
  }
}
